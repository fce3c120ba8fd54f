// More calls block than there may be OS threads for them, and each is ended by a thread that still
// has to run: a lock's holder, the other side of a FIFO, who lets a child end. All get done, and
// nobody hears of an interruption.
#include "check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { LOCKERS = 8, FIFOS = 6, PARENTS = 6 };

static int child_pipe[2];
static int done;

static void* locks(void* argument) {
  int fd = open("lock", O_RDWR | O_CREAT, 0600);
  CHECK(fd >= 0);
  CHECK_OK(flock(fd, LOCK_EX));
  if (argument) sleep_ms(50);
  sched_yield();
  CHECK_OK(flock(fd, LOCK_UN));
  CHECK_OK(close(fd));
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void open_fifo(intptr_t number, int flags) {
  char name[32];
  snprintf(name, sizeof name, "fifo%d", (int)number);
  int fd = open(name, flags);
  CHECK(fd >= 0);
  CHECK_OK(close(fd));
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static void* opens_to_read(void* number) {
  open_fifo((intptr_t)number, O_RDONLY);
  return NULL;
}

static void* opens_to_write(void* number) {
  open_fifo((intptr_t)number, O_WRONLY);
  return NULL;
}

static void* waits_for_child(void* ignored) {
  pid_t pid = fork();
  CHECK(pid >= 0);
  char byte;
  if (pid == 0) _exit(read(child_pipe[0], &byte, 1) == 1 ? 7 : 1);
  int status;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(WEXITSTATUS(status), 7);
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void* lets_children_end(void* ignored) {
  sleep_ms(30);
  for (int i = 0; i < PARENTS; i++) CHECK_EQ(write(child_pipe[1], "x", 1), 1);
  return NULL;
}

int main(void) {
  pthread_t threads[LOCKERS + 2 * FIFOS + PARENTS + 1];
  int n = 0;
  CHECK_OK(pipe(child_pipe));
  for (int i = 0; i < FIFOS; i++) {
    char name[32];
    snprintf(name, sizeof name, "fifo%d", i);
    CHECK_OK(mkfifo(name, 0600));
  }
  for (intptr_t i = 0; i < LOCKERS; i++) threads[n++] = spawn(locks, i == 0 ? &done : NULL);
  for (intptr_t i = 0; i < FIFOS; i++) threads[n++] = spawn(opens_to_read, (void*)i);
  for (int i = 0; i < PARENTS; i++) threads[n++] = spawn(waits_for_child, NULL);
  for (intptr_t i = 0; i < FIFOS; i++) threads[n++] = spawn(opens_to_write, (void*)i);
  threads[n++] = spawn(lets_children_end, NULL);
  for (int i = 0; i < n; i++) join(threads[i]);
  printf("%d done\n", done);
}
