// A seccomp filter for all threads refuses, with EPERM, epoll_ctl, which the program itself never
// calls: its poll and select still see what comes.
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>

enum { ROUNDS = 20 };
static int to[2], from[2];

static void* refuse(void* unused) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program));
  return unused;
}

static void* echo(void* unused) {
  char c;
  for (int i = 0; i < ROUNDS; i++) {
    fd_set in;
    FD_ZERO(&in);
    FD_SET(to[0], &in);
    struct timeval limit = {20, 0};
    CHECK_EQ(select(to[0] + 1, &in, NULL, NULL, &limit), 1);
    CHECK_EQ(read(to[0], &c, 1), 1);
    sleep_ms(1);
    CHECK_EQ(write(from[1], &c, 1), 1);
  }
  return unused;
}

int main(void) {
  CHECK_OK(pipe(to));
  CHECK_OK(pipe(from));
  pthread_t thread = spawn(echo, NULL);
  join(spawn(refuse, NULL));
  for (int i = 0; i < ROUNDS; i++) {
    char c = (char)i, back;
    sleep_ms(1);
    CHECK_EQ(write(to[1], &c, 1), 1);
    struct pollfd ready = {from[0], POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 20000), 1);
    CHECK_EQ(read(from[0], &back, 1), 1);
    CHECK_EQ(back, c);
  }
  join(thread);
  puts("ok");
  return 0;
}
