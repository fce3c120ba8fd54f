// Everything at once, round after round: nothing hangs, no byte is wrong, nothing is left.
//
//   soak SECONDS
#include "soak.h"

#include <dirent.h>
#include <fcntl.h>

enum { ROUND_MS = 3000 };
volatile int stopping;

static void* (*const parts[])(void*) = {serve_storms,  serve_storms,   compute,      compute,
                                        lock_file,     lock_file,      lock_file,    fault_pages,
                                        make_children, cancel_threads, load_library, send_signals};
enum { PARTS = sizeof parts / sizeof *parts };

struct left {
  long fds, threads, mappings, resident_kb;
};

static long number_after(const char* text, const char* name) {
  const char* at = strstr(text, name);
  CHECK(at);
  return atol(at + strlen(name));
}

static struct left what_is_left(void) {
  static char text[1 << 20];
  struct left left = {0};
  DIR* directory = opendir("/proc/self/fd");
  CHECK(directory);
  while (readdir(directory)) left.fds++;
  closedir(directory);
  int fd = open("/proc/self/status", O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  CHECK(n > 0);
  text[n] = 0;
  close(fd);
  left.threads = number_after(text, "\nThreads:");
  left.resident_kb = number_after(text, "\nVmRSS:");
  fd = open("/proc/self/maps", O_RDONLY);
  while ((n = read(fd, text, sizeof text)) > 0)
    for (ssize_t i = 0; i < n; i++) left.mappings += text[i] == '\n';
  close(fd);
  return left;
}

static void one_round(void) {
  pthread_t threads[PARTS];
  stopping = 0;
  for (int i = 0; i < PARTS; i++) threads[i] = spawn(parts[i], NULL);
  sleep_ms(ROUND_MS);
  stopping = 1;
  for (int i = 0; i < PARTS; i++) join(threads[i]);
}

int main(int argc, char** argv) {
  int64_t end = now_ns(CLOCK_MONOTONIC) + arg_or(argc, argv, 1, 60) * SECOND;
  prepare_signals();
  one_round();
  struct left first = what_is_left(), last;
  for (int round = 1; now_ns(CLOCK_MONOTONIC) < end; round++) {
    one_round();
    last = what_is_left();
    if (argc > 2)
      dprintf(2, "round %d: %ld fds, %ld OS threads, %ld mappings, %ld KB\n", round, last.fds,
              last.threads, last.mappings, last.resident_kb);
    CHECK_EQ(last.fds, first.fds);
    CHECK(last.mappings < first.mappings + 200);
    CHECK(last.resident_kb < 2 * first.resident_kb + 65536);
  }
  // 8 workers, as many spares, the monitor; natively one.
  AWAIT(what_is_left().threads <= 18);
  puts("nothing is left");
}
