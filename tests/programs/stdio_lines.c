// printf, fputs and flockfile from many threads into one stream: lines stay whole, each thread's in
// order; getline by many threads hands out each line once.
#include "check.h"

enum { THREADS = 10, LINES = 300 };
static FILE* stream;
static int seen[THREADS];

static void* writer(void* argument) {
  int id = (int)(intptr_t)argument;
  for (int i = 0; i < LINES; i++) {
    if (i % 3 == 0) {
      flockfile(stream);
      CHECK(fputs("thread ", stream) >= 0);
      if (i % 9 == 0) sched_yield();
      CHECK(fprintf(stream, "%d line %d\n", id, i) > 0);
      funlockfile(stream);
    } else {
      CHECK(fprintf(stream, "thread %d line %d\n", id, i) > 0);
    }
  }
  return NULL;
}

static void* reader(void* unused) {
  char* line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stream) > 0) {
    int id, number;
    char end;
    CHECK_EQ(sscanf(line, "thread %d line %d%c", &id, &number, &end), 3);
    CHECK(end == '\n' && id >= 0 && id < THREADS && number >= 0 && number < LINES);
    __atomic_add_fetch(&seen[id], 1, __ATOMIC_SEQ_CST);
  }
  free(line);
  return unused;
}

int main(void) {
  stream = tmpfile();
  CHECK(stream != NULL);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(writer, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  rewind(stream);
  int next[THREADS] = {0}, id, number;
  while (fscanf(stream, "thread %d line %d\n", &id, &number) == 2) CHECK_EQ(number, next[id]++);
  CHECK(feof(stream));
  for (int i = 0; i < THREADS; i++) CHECK_EQ(next[i], LINES);
  rewind(stream);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(reader, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(seen[i], LINES);
  printf("%d lines\n", THREADS * LINES);
}
