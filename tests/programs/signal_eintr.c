// A handler interrupts the blocking call named by the argument with EINTR when it is installed
// without SA_RESTART; with it, the call goes on where the kernel restarts it.
#include "check.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

static int fds[2], pair[2], epoll, handled, done;
static sem_t semaphore;
static const char* call;

static void handler(int number) {
  (void)number;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static int is(const char* name) { return strcmp(call, name) == 0; }

static long block(void) {
  static char byte;
  struct pollfd p = {fds[0], POLLIN, 0};
  struct epoll_event event;
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fds[0], &set);
  if (is("read")) return read(fds[0], &byte, 1);
  if (is("recv")) return recv(pair[0], &byte, 1, 0);
  if (is("sem_wait")) return sem_wait(&semaphore);
  if (is("poll")) return poll(&p, 1, 20000);
  if (is("select")) return select(fds[0] + 1, &set, NULL, NULL, NULL);
  if (is("epoll_wait")) return epoll_wait(epoll, &event, 1, -1);
  if (is("pause")) return pause();
  CHECK_FAIL("no call named %s", call);
}

// poll, select, epoll_wait and pause are never restarted.
static int restarts(void) { return is("read") || is("recv") || is("sem_wait"); }

static void* body(void* restart) {
  long result = block();
  if (restart && restarts()) {
    CHECK(result == 1 || (is("sem_wait") && result == 0));
  } else {
    CHECK_EQ(result, -1);
    CHECK_EQ(errno, EINTR);
  }
  __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc > 1);
  call = argv[1];
  CHECK_OK(pipe(fds));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  CHECK_OK(sem_init(&semaphore, 0, 0));
  epoll = epoll_create1(0);
  for (int restart = 0; restart < 2; restart++) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = restart ? SA_RESTART : 0};
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    handled = done = 0;
    pthread_t thread = spawn(body, (void*)(intptr_t)restart);
    if (restart && restarts()) {
      for (int i = 1; i <= 5; i++) {
        sleep_ms(5);
        CHECK_OK(pthread_kill(thread, SIGUSR1));
        AWAIT(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == i);
      }
      sleep_ms(5);
      CHECK_EQ(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 0);
      if (is("read")) CHECK_EQ(write(fds[1], "x", 1), 1);
      if (is("recv")) CHECK_EQ(send(pair[1], "x", 1, 0), 1);
      if (is("sem_wait")) CHECK_OK(sem_post(&semaphore));
    } else {
      // The first ones may come before it blocks.
      while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
        sleep_ms(5);
        CHECK_OK(pthread_kill(thread, SIGUSR1));
      }
    }
    join(thread);
    CHECK(handled > 0);
  }
  printf("%s interrupted\n", call);
}
