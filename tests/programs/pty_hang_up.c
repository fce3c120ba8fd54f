// The master of a pty is closed: who waits to read from the slave is told EIO, who reads later
// finds the end; and the other way round EIO in both cases.
#include "check.h"

#include <pty.h>

static void* closes_late(void* fd) {
  sleep_ms(50);
  CHECK_OK(close((int)(intptr_t)fd));
  return NULL;
}

static void* body(void* of_master) {
  int master, slave;
  CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
  int reads = of_master ? master : slave, closed = of_master ? slave : master;
  pthread_t thread = spawn(closes_late, (void*)(intptr_t)closed);
  char bytes[8];
  CHECK_ERRNO(read(reads, bytes, sizeof bytes), EIO);
  join(thread);
  if (of_master)
    CHECK_ERRNO(read(reads, bytes, sizeof bytes), EIO);
  else
    CHECK_EQ(read(reads, bytes, sizeof bytes), 0);
  CHECK_OK(close(reads));
  return NULL;
}

int main(void) {
  join(spawn(body, NULL));
  join(spawn(body, (void*)1));
  puts("hung up");
}
