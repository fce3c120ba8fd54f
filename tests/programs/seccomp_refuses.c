// A seccomp filter that refuses, with EPERM, calls which the program itself never makes, as those
// of containers do: its reads and writes on pipes go on.
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { ROUNDS = 200 };
static int to[2], from[2];

static void refuse(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void* echo(void* unused) {
  char c;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(read(to[0], &c, 1), 1);
    CHECK_EQ(write(from[1], &c, 1), 1);
  }
  return NULL;
}

int main(void) {
  CHECK_OK(pipe(to));
  CHECK_OK(pipe(from));
  refuse();
  pthread_t thread = spawn(echo, NULL);
  for (int i = 0; i < ROUNDS; i++) {
    char c = (char)i, back;
    CHECK_EQ(write(to[1], &c, 1), 1);
    CHECK_EQ(read(from[0], &back, 1), 1);
    CHECK_EQ(back, c);
  }
  join(thread);
  puts("ok");
  return 0;
}
