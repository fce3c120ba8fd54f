// Regular files by many threads: pread and pwrite at own offsets, O_APPEND without loss, vectors,
// preadv2 flags, a shared offset that hands every byte out once.
#include "net.h"

enum { THREADS = 8, BLOCKS = 50, BLOCK = 3000 };
static int file, appended, shared_offset;
static long read_once;

static void fill(char* block, int thread, int index) {
  for (int i = 0; i < BLOCK; i++) block[i] = (char)(thread * 31 + index * 7 + i);
}

static void* body(void* argument) {
  int thread = (int)(intptr_t)argument;
  char block[BLOCK], back[BLOCK];
  for (int i = 0; i < BLOCKS; i++) {
    fill(block, thread, i);
    off_t at = (off_t)(i * THREADS + thread) * BLOCK;
    struct iovec parts[2] = {{block, 1000}, {block + 1000, BLOCK - 1000}};
    if (i % 2)
      CHECK_EQ(pwrite(file, block, BLOCK, at), BLOCK);
    else
      CHECK_EQ(pwritev(file, parts, 2, at), BLOCK);
    char record[16];
    snprintf(record, sizeof record, "%02d:%04d", thread, i);
    CHECK_EQ(write(appended, record, 8), 8);
    struct iovec into[2] = {{back, 1}, {back + 1, BLOCK - 1}};
    if (i % 3 == 0) CHECK_EQ(pread(file, back, BLOCK, at), BLOCK);
    if (i % 3 == 1) CHECK_EQ(preadv(file, into, 2, at), BLOCK);
    if (i % 3 == 2) CHECK_EQ(preadv2(file, into, 2, at, 0), BLOCK);
    CHECK(memcmp(block, back, BLOCK) == 0);
  }
  return NULL;
}

static void* take_bytes(void* unused) {
  char bytes[100];
  ssize_t got;
  while ((got = read(shared_offset, bytes, sizeof bytes)) > 0) {
    __atomic_add_fetch(&read_once, got, __ATOMIC_SEQ_CST);
  }
  CHECK_EQ(got, 0);
  return unused;
}

static int temporary(void) {
  char name[] = "/tmp/green-test-XXXXXX";
  int fd = mkstemp(name);
  CHECK(fd >= 0);
  CHECK_OK(unlink(name));
  return fd;
}

int main(void) {
  file = temporary();
  appended = temporary();
  CHECK_OK(fcntl(appended, F_SETFL, O_APPEND));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(lseek(file, 0, SEEK_END), THREADS * BLOCKS * BLOCK);

  int next[THREADS] = {0};
  CHECK_EQ(lseek(appended, 0, SEEK_SET), 0);
  char record[9] = "";
  while (read_all(appended, record, 8) == 8) {
    int thread, index;
    CHECK_EQ(sscanf(record, "%d:%d", &thread, &index), 2);
    CHECK_EQ(index, next[thread]++);
  }
  for (int i = 0; i < THREADS; i++) CHECK_EQ(next[i], BLOCKS);

  shared_offset = appended;
  CHECK_EQ(lseek(appended, 0, SEEK_SET), 0);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(take_bytes, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(read_once, THREADS * BLOCKS * 8);
  printf("%ld bytes appended\n", read_once);
}
