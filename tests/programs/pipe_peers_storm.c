// The two ends of pipes and socket pairs, used by two threads in every way that a runtime which
// knows what belongs together could lose track of: copies of a number, a number that becomes
// another file, other processes, descriptors in messages, packets, splices, peeks. Every byte
// arrives, in order; nobody waits for what is there.
#include "net.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

enum { kPairs = 4, kPipe = 0, kStreamPair, kPackets };
static int rounds;
static volatile int over;

struct end {
  int fd, kind;
  unsigned seed, done, total;
  int packets;  // both threads': an O_DIRECT pipe is read with room only
};

static unsigned roll(struct end* e, unsigned below) {
  e->seed = e->seed * 1103515245 + 12345;
  return (e->seed >> 16) % below;
}

static char byte_at(unsigned i) { return (char)(i * 7 + i / 251); }

static void rename_end(struct end* e) {
  int number = e->fd;
  if (roll(e, 2)) {
    e->fd = dup(number);
  } else {
    e->fd = eventfd(0, 0);
    CHECK_EQ(dup2(number, e->fd), e->fd);
  }
  CHECK(e->fd >= 0);
  CHECK_OK(close(number));
}

static void put_with_fd(int fd, char* data, size_t size) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec v = {data, size};
  struct msghdr m = {
      .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  CHECK_EQ(sendmsg(fd, &m, 0), (ssize_t)size);
}

static void put_by_pipe(int fd, char* data, size_t size) {
  int way[2];
  CHECK_OK(pipe(way));
  write_all(way[1], data, size);
  for (size_t done = 0; done < size;) {
    const ssize_t n = splice(way[0], NULL, fd, NULL, size - done, 0);
    CHECK(n > 0);
    done += (size_t)n;
  }
  close(way[0]), close(way[1]);
}

// The pages are the pipe's until they are read.
static void put_pages(int fd, char* data, size_t size) {
  for (int left = 1; size; left = 1) {
    struct iovec v = {data, size};
    const ssize_t n = vmsplice(fd, &v, 1, 0);
    CHECK(n > 0);
    data += n;
    size -= (size_t)n;
    AWAIT((ioctl(fd, FIONREAD, &left), left == 0));
  }
}

static void put_by_child(int fd, char* data, size_t size) {
  const pid_t child = fork();
  if (child == 0) {
    write_all(fd, data, size);
    _exit(0);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void* put(void* argument) {
  struct end* e = argument;
  char data[512];
  while (e->done < e->total) {
    unsigned size = 1 + roll(e, roll(e, 4) ? 40 : sizeof data);
    if (size > e->total - e->done) size = e->total - e->done;
    for (unsigned i = 0; i < size; i++) data[i] = byte_at(e->done + i);
    struct iovec v[2] = {{data, size / 2}, {data + size / 2, size - size / 2}};
    switch (roll(e, 9)) {
      case 0: CHECK_EQ(writev(e->fd, v, 2), size); break;
      case 1:
        if (e->kind == kPipe)
          put_pages(e->fd, data, size);
        else
          put_with_fd(e->fd, data, size);
        break;
      case 2:
        if (e->kind != kPackets) {
          put_by_pipe(e->fd, data, size);
          break;
        }  // fallthrough
      case 3:
        if (roll(e, 40) == 0) {
          put_by_child(e->fd, data, size);
          break;
        }  // fallthrough
      case 4:
        if (e->kind != kPipe) {
          CHECK_EQ(send(e->fd, data, size, 0), size);
          break;
        }  // fallthrough
      default: CHECK_EQ(write(e->fd, data, size), size);
    }
    e->done += size;
    if (roll(e, 2)) sched_yield();
    if (roll(e, 24) == 0) rename_end(e);
    if (e->kind == kPipe && roll(e, 30) == 0) fcntl(e->fd, F_SETPIPE_SZ, 4096 << roll(e, 5));
    if (e->packets && roll(e, 10) == 0) CHECK_OK(fcntl(e->fd, F_SETFL, roll(e, 2) ? O_DIRECT : 0));
  }
  if (e->kind != kPipe && roll(e, 2)) {
    CHECK_OK(shutdown(e->fd, SHUT_WR));
    return NULL;
  }
  CHECK_OK(close(e->fd));
  e->fd = -1;
  return NULL;
}

static void* take(void* argument) {
  struct end* e = argument;
  static const size_t sizes[] = {1, 64, 600, 8192};
  char data[8192];
  for (;;) {
    const int whole = e->packets || e->kind == kPackets;
    const size_t size = sizes[whole ? 2 + roll(e, 2) : roll(e, 4)];
    struct iovec v[2] = {{data, 1}, {data + 1, size - 1}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    struct pollfd p = {e->fd, POLLIN, 0};
    ssize_t n;
    switch (roll(e, 9)) {
      case 0: n = readv(e->fd, v, 2); break;
      case 1:
        if (e->kind != kPipe) {
          n = recv(e->fd, data, size, 0);
          break;
        }  // fallthrough
      case 2:
        if (e->kind != kPipe) {
          n = recvmsg(e->fd, &m, 0);
          break;
        }  // fallthrough
      case 3:
        if (e->kind != kPipe) CHECK(recv(e->fd, data, size, MSG_PEEK) >= 0);
        CHECK_EQ(poll(&p, 1, -1), 1);
        n = read(e->fd, data, size);
        break;
      case 4: {
        const int flags = fcntl(e->fd, F_GETFL);
        CHECK_OK(fcntl(e->fd, F_SETFL, flags | O_NONBLOCK));
        n = read(e->fd, data, size);
        CHECK_OK(fcntl(e->fd, F_SETFL, flags));
        if (n < 0 && errno == EAGAIN) continue;
        break;
      }
      default: n = read(e->fd, data, size);
    }
    CHECK(n >= 0);
    if (n == 0) break;
    for (ssize_t i = 0; i < n; i++) CHECK_EQ(data[i], byte_at(e->done + (unsigned)i));
    e->done += (unsigned)n;
    if (roll(e, 24) == 0) rename_end(e);
  }
  CHECK_EQ(e->done, e->total);
  CHECK_OK(close(e->fd));
  return NULL;
}

static void* run_pairs(void* which) {
  for (int round = 0; round < rounds; round++) {
    int fds[2], kind = (round + (int)(intptr_t)which) % 3;
    if (kind == kPipe)
      CHECK_OK(pipe(fds));
    else
      CHECK_OK(socketpair(AF_UNIX, kind == kPackets ? SOCK_SEQPACKET : SOCK_STREAM, 0, fds));
    const unsigned seed = (unsigned)round * 31 + (unsigned)(intptr_t)which * 977, total = 3000;
    const int packets = kind == kPipe && round % 2;
    struct end in = {fds[0], kind, seed, 0, total, packets},
               out = {fds[1], kind, seed + 5, 0, total, packets};
    pthread_t reader = spawn(take, &in), writer = spawn(put, &out);
    join(writer);
    join(reader);
    if (out.fd >= 0) CHECK_OK(close(out.fd));
  }
  return NULL;
}

// Numbers just closed become other files at once.
static void* reuse(void* unused) {
  for (unsigned i = 0; !over; i++) {
    int fds[2] = {-1, -1};
    if (i % 3 == 0) fds[0] = eventfd(1, 0);
    if (i % 3 == 1) CHECK_OK(pipe(fds));
    if (i % 3 == 2) CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    sched_yield();
    close(fds[0]);
    if (fds[1] >= 0) close(fds[1]);
    if (i % 16 == 0) sleep_ms(1);
  }
  return unused;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 24);
  pthread_t threads[kPairs], other = spawn(reuse, NULL);
  for (intptr_t i = 0; i < kPairs; i++) threads[i] = spawn(run_pairs, (void*)i);
  for (int i = 0; i < kPairs; i++) join(threads[i]);
  over = 1;
  join(other);
  printf("%d pairs\n", kPairs * rounds);
}
