// fork with many threads alive, all of them waiting: the child has the one that forked, malloc and
// stdio work, it closes every descriptor it has, and works on with threads, pipes and timers of its
// own.
#include "check.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/wait.h>

static sem_t go;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, done, idle_pipe[2];

static void* waits(void* kind) {
  char c;
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  switch ((intptr_t)kind % 3) {
    case 0: CHECK_OK(sem_wait(&go)); break;
    case 1: CHECK_EQ(read(idle_pipe[0], &c, 1), 1); break;
    default:
      CHECK_OK(pthread_mutex_lock(&mutex));
      while (!done) CHECK_OK(pthread_cond_wait(&changed, &mutex));
      CHECK_OK(pthread_mutex_unlock(&mutex));
  }
  return NULL;
}

static void* pingpong(void* fds) {
  int* pipes = fds;
  char c;
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(read(pipes[0], &c, 1), 1);
    CHECK_EQ(write(pipes[3], &c, 1), 1);
  }
  sleep_ms(2);
  return fds;
}

static void child_works(int keep) {
  // libgreen's own go, too. Not where messages go: GREEN_LOG's line would be in the pipe.
  for (int fd = 0; fd < 100; fd++)
    if (fd != keep && fd != 2) close(fd);
  FILE* stream = fdopen(dup(keep), "w");
  CHECK(stream);
  int pipes[4];
  CHECK_OK(pipe(pipes));
  CHECK_OK(pipe(pipes + 2));
  pthread_t thread = spawn(pingpong, pipes);
  for (int i = 0; i < 20; i++) {
    char c = (char)i;
    CHECK_EQ(write(pipes[1], &c, 1), 1);
    CHECK_EQ(read(pipes[2], &c, 1), 1);
    CHECK_EQ(c, i);
  }
  CHECK(join(thread) == pipes);
  for (int fd = 0; fd < 100; fd++)
    if (fd != keep && fd != 2 && fd != fileno(stream)) close(fd);
  CHECK_OK(pipe(pipes));
  struct pollfd wait = {.fd = pipes[0], .events = POLLIN};
  CHECK_EQ(poll(&wait, 1, 5), 0);
  free(malloc(100000));
  CHECK(fprintf(stream, "worked") == 6);
  CHECK_OK(fclose(stream));
  _exit(7);
}

static void* forks(void* unused) {
  for (int i = 0; i < 3; i++) {
    int answer[2], status;
    char text[16] = "";
    CHECK_OK(pipe(answer));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) child_works(answer[1]);
    CHECK_OK(close(answer[1]));
    CHECK_EQ(read(answer[0], text, sizeof text), 6);
    CHECK(strcmp(text, "worked") == 0);
    CHECK_EQ(read(answer[0], text, sizeof text), 0);
    CHECK_OK(close(answer[0]));
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  return unused;
}

int main(int argc, char** argv) {
  const int n = arg_or(argc, argv, 1, 100);
  CHECK_OK(pipe(idle_pipe));
  pthread_t* threads = calloc((size_t)n, sizeof *threads);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstacksize(&attr, 64 * 1024));
  for (intptr_t i = 0; i < n; i++) CHECK_OK(pthread_create(&threads[i], &attr, waits, (void*)i));
  AWAIT(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == n);
  join(spawn(forks, NULL));
  forks(NULL);
  CHECK_OK(pthread_mutex_lock(&mutex));
  done = 1;
  CHECK_OK(pthread_cond_broadcast(&changed));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  for (int i = 0; i < n; i++) {
    if (i % 3 == 0) CHECK_OK(sem_post(&go));
    if (i % 3 == 1) CHECK_EQ(write(idle_pipe[1], "x", 1), 1);
  }
  for (int i = 0; i < n; i++) join(threads[i]);
  printf("forked with %d threads\n", n);
}
