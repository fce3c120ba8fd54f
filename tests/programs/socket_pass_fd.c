// Descriptors travel by SCM_RIGHTS from thread to thread and work at the other end.
#include "net.h"

static int pair[2];
enum { ROUNDS = 100 };
union control {
  char bytes[CMSG_SPACE(sizeof(int))];
  struct cmsghdr align;
};

static void* receiver(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    char byte;
    union control control;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    CHECK_EQ(recvmsg(pair[0], &message, MSG_CMSG_CLOEXEC), 1);
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    CHECK(header && header->cmsg_type == SCM_RIGHTS);
    int fd, number;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read_all(fd, &number, sizeof number), sizeof number);
    CHECK_EQ(number, i);
    CHECK_EQ(read(fd, &number, 1), 0);
    CHECK_OK(close(fd));
  }
  return unused;
}

int main(void) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pthread_t thread = spawn(receiver, NULL);
  for (int i = 0; i < ROUNDS; i++) {
    int fds[2];
    CHECK_OK(pipe(fds));
    union control control;
    struct iovec iov = {"f", 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fds[0], sizeof(int));
    CHECK_EQ(sendmsg(pair[1], &message, 0), 1);
    CHECK_OK(close(fds[0]));
    if (i % 2) sched_yield();
    write_all(fds[1], &i, sizeof i);
    CHECK_OK(close(fds[1]));
  }
  join(thread);
  printf("%d descriptors passed\n", ROUNDS);
}
