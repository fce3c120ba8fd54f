// Reads that come back short though more is there: packets in a pipe (O_DIRECT, from the start or
// set later), a message with a descriptor in a stream. What follows is read at once, whoever writes
// it.
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void send_fd(int socket, char byte, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec v = {&byte, 1};
  struct msghdr m = {
      .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  CHECK_EQ(sendmsg(socket, &m, 0), 1);
}

// Reads until an 'e', with a buffer that always has room.
static void* reader(void* fd) {
  char buffer[4096];
  long sum = 0;
  for (;;) {
    const ssize_t n = read(*(int*)fd, buffer, sizeof buffer);
    CHECK(n > 0);
    for (ssize_t i = 0; i < n; i++) sum += buffer[i];
    if (buffer[n - 1] == 'e') return (void*)sum;
  }
}

static void* idle(void* unused) { return unused; }

static long total(const char* text) {
  long sum = 0;
  while (*text) sum += *text++;
  return sum;
}

static void put(int fd, const char* bytes) {
  CHECK_EQ(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

int main(void) {
  int pipes[2], pair[2];
  join(spawn(idle, NULL));  // what is made from now on is known from its birth
  for (int round = 0; round < 200; round++) {
    const int packets = round % 3;
    CHECK_OK(pipe2(pipes, packets == 1 ? O_DIRECT : 0));
    pthread_t thread = spawn(reader, &pipes[0]);
    put(pipes[1], "a");
    if (round % 2) sched_yield();
    if (packets == 2) CHECK_OK(fcntl(pipes[1], F_SETFL, O_DIRECT));
    put(pipes[1], "bc");
    put(pipes[1], "d");
    if (round % 5 == 0) sched_yield();
    put(pipes[1], "de");
    CHECK_EQ((long)join(thread), total("abcdde"));
    close(pipes[0]), close(pipes[1]);

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    thread = spawn(reader, &pair[0]);
    if (round % 2) sched_yield();
    put(pair[1], "a");
    send_fd(pair[1], 'b', 1);
    put(pair[1], "c");
    send_fd(pair[1], 'd', 1);
    put(pair[1], "e");
    CHECK_EQ((long)join(thread), total("abcde"));
    close(pair[0]), close(pair[1]);
  }
  // Another process at the other end.
  CHECK_OK(pipe(pipes));
  pthread_t thread = spawn(reader, &pipes[0]);
  put(pipes[1], "a");
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 100; i++) put(pipes[1], i % 2 ? "b" : "c");
    _exit(0);
  }
  CHECK_EQ(waitpid(child, NULL, 0), child);
  put(pipes[1], "e");
  CHECK_EQ((long)join(thread), total("ae") + 50L * total("bc"));
  printf("all read\n");
}
