// A named semaphore between threads here and a forked child's threads.
#include "check.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/wait.h>

static char ping_name[64], pong_name[64];
enum { ROUNDS = 500 };

static void* answer(void* unused) {
  sem_t *ping = sem_open(ping_name, 0), *pong = sem_open(pong_name, 0);
  CHECK(ping != SEM_FAILED && pong != SEM_FAILED);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(sem_wait(ping));
    CHECK_OK(sem_post(pong));
  }
  CHECK_OK(sem_close(ping));
  CHECK_OK(sem_close(pong));
  return unused;
}

static void* ask(void* semaphores) {
  sem_t** both = semaphores;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(sem_post(both[0]));
    CHECK_OK(sem_wait(both[1]));
  }
  return NULL;
}

int main(void) {
  snprintf(ping_name, sizeof ping_name, "/green-test-ping-%d", getpid());
  snprintf(pong_name, sizeof pong_name, "/green-test-pong-%d", getpid());
  sem_t* both[] = {sem_open(ping_name, O_CREAT | O_EXCL, 0600, 0),
                   sem_open(pong_name, O_CREAT | O_EXCL, 0600, 0)};
  CHECK(both[0] != SEM_FAILED && both[1] != SEM_FAILED);
  errno = 0;
  CHECK(sem_open(ping_name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED);
  CHECK_EQ(errno, EEXIST);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    join(spawn(answer, NULL));
    _exit(0);
  }
  join(spawn(ask, both));
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  pthread_t asker = spawn(ask, both);
  answer(NULL);
  join(asker);
  CHECK_OK(sem_unlink(ping_name));
  CHECK_OK(sem_unlink(pong_name));
  CHECK_ERRNO(sem_unlink(ping_name), ENOENT);
  printf("%d rounds with each\n", ROUNDS);
}
