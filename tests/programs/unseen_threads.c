// Threads that libc makes by itself, for asynchronous I/O, timers and look-ups, before the program
// makes any: they and the program's own live side by side.
#include "check.h"

#include <aio.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>

static sem_t told;

static void tell(union sigval value) { CHECK_OK(sem_post(value.sival_ptr)); }

static struct sigevent by_thread(void) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = tell;
  event.sigev_value.sival_ptr = &told;
  return event;
}

static void* waits(void* unused) {
  CHECK_OK(sem_wait(&told));
  return unused;
}

int main(void) {
  int fd[2];
  char text[8] = "";
  CHECK_OK(sem_init(&told, 0, 0));
  CHECK_OK(pipe(fd));
  struct aiocb request = {.aio_fildes = fd[0], .aio_buf = text, .aio_nbytes = 5};
  request.aio_sigevent = by_thread();
  CHECK_OK(aio_read(&request));
  pthread_t waiter = spawn(waits, NULL);
  CHECK_EQ(write(fd[1], "hello", 5), 5);
  join(waiter);
  CHECK_EQ(aio_return(&request), 5);
  CHECK(memcmp(text, "hello", 5) == 0);

  timer_t timer;
  struct sigevent event = by_thread();
  CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  struct itimerspec once = {{0, 0}, to_timespec(5 * MS)};
  CHECK_OK(timer_settime(timer, 0, &once, NULL));
  CHECK_OK(sem_wait(&told));

  struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
  struct gaicb look_up = {.ar_name = "127.0.0.1", .ar_request = &numeric};
  struct gaicb* list[] = {&look_up};
  CHECK_OK(getaddrinfo_a(GAI_WAIT, list, 1, NULL));
  CHECK_OK(gai_error(&look_up));
  printf("%s\n", text);
}
