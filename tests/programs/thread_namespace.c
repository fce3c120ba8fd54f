// unshare, setns and capset hold for the thread that calls them, and for those that it creates.
#include "check.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>

static char before[65];
static int namespace = -1;

static void is_host(const char* name) {
  char now[65];
  CHECK_OK(gethostname(now, sizeof now));
  CHECK_OK(strcmp(now, name));
}

static unsigned effective(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  CHECK_OK(syscall(SYS_capget, &header, data));
  return data[0].effective;
}

static void* inherits(void* name) {
  is_host(name);
  return NULL;
}

static void* unshares(void* unused) {
  if (unshare(CLONE_NEWUTS) != 0) {  // there is nothing to be seen
    CHECK_EQ(errno, EPERM);
    puts("its own");
    exit(0);
  }
  CHECK_OK(sethostname("elsewhere", 9));
  is_host("elsewhere");
  join(spawn(inherits, "elsewhere"));
  char path[64];
  snprintf(path, sizeof path, "/proc/thread-self/ns/uts");
  CHECK((namespace = open(path, O_RDONLY)) >= 0);
  return unused;
}

static void* enters(void* unused) {
  is_host(before);
  CHECK_OK(setns(namespace, CLONE_NEWUTS));
  is_host("elsewhere");
  sleep_ms(2);
  is_host("elsewhere");
  return unused;
}

static void* drops(void* unused) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  CHECK_OK(syscall(SYS_capget, &header, data));
  data[0].effective &= ~(1u << CAP_NET_RAW);
  CHECK_OK(syscall(SYS_capset, &header, data));
  sleep_ms(2);
  CHECK_EQ(effective() >> CAP_NET_RAW & 1, 0);
  return unused;
}

int main(void) {
  CHECK_OK(gethostname(before, sizeof before));
  if (geteuid() == 0) {  // else there is nothing to be changed
    join(spawn(unshares, NULL));
    is_host(before);
    join(spawn(enters, NULL));
    join(spawn(enters, NULL));
    is_host(before);
    const unsigned mine = effective();
    join(spawn(drops, NULL));
    CHECK_EQ(effective(), mine);
  }
  puts("its own");
}
