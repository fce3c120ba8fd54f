// pread of 4 KiB and of 64 KiB at scattered places of a file in the page cache.
//
//   file_read [MEBIBYTES]

#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"

enum { kBlock = 65536, kReads4K = 400000, kReads64K = 60000 };

static char buffer[kBlock];
static int file;
static long size;

static void build(void) {
  char path[320];
  snprintf(path, sizeof path, "%s/data", scratch_directory());
  file = open(path, O_CREAT | O_RDWR, 0600);
  memset(buffer, 'x', sizeof buffer);
  for (long at = 0; file >= 0 && at < size; at += kBlock)
    if (pwrite(file, buffer, kBlock, at) != kBlock) file = -1;
  if (file < 0) perror(path), exit(1);
}

static void read_blocks(const char* name, long block, long reads) {
  unsigned long seed = 1;
  double wall = wall_seconds(), cpu = cpu_seconds();
  for (long i = 0; i < reads; i++) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    long at = (long)((seed >> 33) % (unsigned long)(size / block)) * block;
    if (pread(file, buffer, (size_t)block, at) != block) perror("pread"), exit(1);
  }
  wall = wall_seconds() - wall, cpu = cpu_seconds() - cpu;
  printf("%s_ns=%.1f %s_cpu_ns=%.1f ", name, wall * 1e9 / (double)reads, name,
         cpu * 1e9 / (double)reads);
}

static void* work(void* unused) {
  read_blocks("warm", kBlock, size / kBlock);
  read_blocks("read4k", 4096, kReads4K);
  read_blocks("read64k", kBlock, kReads64K);
  return unused;
}

int main(int argc, char** argv) {
  size = positive_argument(argc, argv, 1, 64) << 20;
  build();
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
  pthread_join(thread, NULL);
  printf("bytes=%ld\n", size);
  return 0;
}
