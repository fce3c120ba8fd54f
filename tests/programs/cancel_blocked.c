// Deferred cancellation of a thread that is blocked in the call named by the argument: its cleanup
// handler runs, it joins as PTHREAD_CANCELED, and the call has taken nothing.
#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int pipe_fds[2], pair[2], listener, epoll;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t sleeper;
static int entered, cleaned;
static char byte, big[1 << 20];

static void block_in(const char* call) {
  struct pollfd pfd = {pipe_fds[0], POLLIN, 0};
  struct timespec hour = {3600, 0};
  struct epoll_event event;
  struct iovec iov = {&byte, 1};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  sigset_t signals;
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pipe_fds[0], &set);
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
#define CASE(name, ...)          \
  if (strcmp(call, name) == 0) { \
    __VA_ARGS__;                 \
    return;                      \
  }
  CASE("read", (void)!read(pipe_fds[0], &byte, 1))
  CASE("write", while (write(pipe_fds[1], big, sizeof big) > 0){})
  CASE("recv", recv(pair[0], &byte, 1, 0))
  CASE("recvmsg", recvmsg(pair[0], &message, 0))
  CASE("sendto", while (sendto(pair[0], big, sizeof big, 0, NULL, 0) > 0){})
  CASE("accept", accept(listener, NULL, NULL))
  CASE("sem_wait", sem_wait(&semaphore))
  CASE("cond_wait", pthread_cond_wait(&cond, &mutex))
  struct timespec end = after_ms(CLOCK_REALTIME, 3600000);
  CASE("cond_timedwait", pthread_cond_timedwait(&cond, &mutex, &end))
  CASE("nanosleep", nanosleep(&hour, NULL))
  CASE("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL))
  CASE("poll", poll(&pfd, 1, -1))
  CASE("ppoll", ppoll(&pfd, 1, &hour, NULL))
  CASE("select", select(pipe_fds[0] + 1, &set, NULL, NULL, NULL))
  CASE("pselect", pselect(pipe_fds[0] + 1, &set, NULL, NULL, &hour, NULL))
  CASE("epoll_wait", epoll_wait(epoll, &event, 1, -1))
  CASE("join", pthread_join(sleeper, NULL))
  CASE("pause", pause())
  CASE("sigwait", int got; sigwait(&signals, &got))
  CASE("sigtimedwait", sigtimedwait(&signals, NULL, &hour))
  CASE("waitpid", waitpid(-1, NULL, 0))
  CHECK_FAIL("no call named %s", call);
}

static void clean(void* unused) {
  (void)unused;
  cleaned++;
  CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);  // A cancelled wait has taken it again.
  CHECK_OK(pthread_mutex_unlock(&mutex));
}

static void* body(void* call) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  pthread_cleanup_push(clean, NULL);
  __atomic_store_n(&entered, 1, __ATOMIC_SEQ_CST);
  block_in(call);
  CHECK_FAIL("%s came back", (char*)call);
  pthread_cleanup_pop(1);
  return NULL;
}

static void* sleep_long(void* unused) {
  sleep(3600);
  return unused;
}

int main(int argc, char** argv) {
  CHECK(argc > 1);
  CHECK_OK(pipe(pipe_fds));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_OK(listen(listener, 1));
  epoll = epoll_create1(0);
  CHECK(epoll >= 0);
  CHECK_OK(sem_init(&semaphore, 0, 0));
  sleeper = spawn(sleep_long, NULL);
  pid_t child = fork();
  if (child == 0) {
    sleep(3600);
    _exit(0);
  }
  for (int early = 0; early < 2; early++) {  // Cancelled once blocked, then before it blocks.
    entered = cleaned = 0;
    pthread_t thread = spawn(body, argv[1]);
    AWAIT(__atomic_load_n(&entered, __ATOMIC_SEQ_CST));
    if (!early) sleep_ms(20);
    CHECK_OK(pthread_cancel(thread));
    CHECK(join(thread) == PTHREAD_CANCELED);
    CHECK_EQ(cleaned, 1);
    CHECK_OK(pthread_mutex_trylock(&mutex));
    CHECK_OK(pthread_mutex_unlock(&mutex));
  }
  CHECK_OK(pthread_cancel(sleeper));
  CHECK(join(sleeper) == PTHREAD_CANCELED);
  CHECK_OK(kill(child, SIGKILL));
  CHECK_EQ(waitpid(child, NULL, 0), child);
  printf("%s cancelled\n", argv[1]);
}
