// The load: one process, one epoll, N connections with one request outstanding
// on each, every byte of every answer checked.
//
// Four phases. OPENING: connections are made in small lots, each of which must
// be served once before many more are opened, so that no backlog overflows.
// WARMUP and MEASURING: each answer is followed by the next request. DRAINING:
// nothing new is sent, what is outstanding must still arrive. The server's CPU
// time is read at both ends of MEASURING.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "histogram.h"
#include "load_connection.h"
#include "load_options.h"

enum { kBatch = 512, kUnserved = 512, kOpenAtOnce = 32 };

static enum { kOpening, kWarmup, kMeasuring, kDraining } phase;
static struct load_options options;
static struct connection* connections;
static int poller, opened, outstanding;
static struct histogram latencies;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double server_cpu(void) {
  double sum = 0;
  for (int i = 0; i < options.pids; i++) {
    clockid_t clock;
    if (clock_getcpuclockid(options.pid[i], &clock) != 0)
      load_fail("no process %d", (int)options.pid[i]);
    sum += clock_seconds(clock);
  }
  return sum;
}

static void begin(struct connection* c, uint64_t now) {
  outstanding++;
  connection_begin(c, &options, now);
}

static void answered(struct connection* c) {
  uint64_t now = now_ns();
  outstanding--;
  if (phase == kMeasuring) {
    c->measured++;
    histogram_add(&latencies, now - c->began);
  }
  if (phase == kWarmup || phase == kMeasuring) begin(c, now);
}

static void serve_events(int timeout_ms) {
  struct epoll_event events[kBatch];
  int n = epoll_wait(poller, events, kBatch, timeout_ms);
  if (n < 0 && errno != EINTR) load_fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < n; i++) {
    struct connection* c = events[i].data.ptr;
    if (c->blocked) connection_send_rest(c, &options);
    if ((events[i].events & ~(unsigned)EPOLLOUT) && connection_receive(c, &options)) answered(c);
  }
}

static void open_all(void) {
  double limit = wall_seconds() + 60;
  while (opened < options.connections || outstanding > 0) {
    for (int i = 0; i < kOpenAtOnce && opened < options.connections && outstanding < kUnserved;
         i++) {
      struct connection* c = &connections[opened];
      connection_open(c, (uint32_t)opened++, &options);
      struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
      if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) != 0)
        load_fail("epoll_ctl: %s", strerror(errno));
      begin(c, now_ns());
    }
    serve_events(100);
    if (wall_seconds() > limit)
      load_fail("%d connections opened, %d not served within 60 s", opened, outstanding);
  }
}

static void run_until(double deadline) {
  while (wall_seconds() < deadline && (options.count == 0 || latencies.count < options.count))
    serve_events(options.awake ? 0 : 10);
}

static void report(double wall, double cpu) {
  uint64_t fewest = UINT64_MAX, most = 0;
  for (int i = 0; i < options.connections; i++) {
    uint64_t n = connections[i].measured;
    if (n < fewest) fewest = n;
    if (n > most) most = n;
  }
  double requests = (double)latencies.count;
  printf(
      "connections=%d requests=%.0f seconds=%.3f rps=%.0f p50_us=%.1f p99_us=%.1f p999_us=%.1f "
      "max_us=%.1f fewest=%llu most=%llu load_cpu_us=%.3f",
      options.connections, requests, wall, requests / wall, histogram_at(&latencies, .5) / 1e3,
      histogram_at(&latencies, .99) / 1e3, histogram_at(&latencies, .999) / 1e3,
      (double)latencies.max / 1e3, (unsigned long long)fewest, (unsigned long long)most,
      cpu_seconds() * 1e6 / requests);
  if (options.pids) printf(" cpu_us=%.3f cores=%.3f", cpu * 1e6 / requests, cpu / wall);
  printf("\n");
}

static void raise_file_limit(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char** argv) {
  options = parse_load_options(argc, argv);
  raise_file_limit();
  poller = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)options.connections, sizeof *connections);
  if (poller < 0 || !connections) load_fail("epoll_create1 or calloc: %s", strerror(errno));
  open_all();

  phase = kWarmup;
  for (int i = 0; i < options.connections; i++) begin(&connections[i], now_ns());
  run_until(wall_seconds() + options.warmup);

  phase = kMeasuring;
  double cpu = server_cpu(), wall = wall_seconds();
  run_until(wall + options.duration);
  cpu = server_cpu() - cpu;
  wall = wall_seconds() - wall;

  phase = kDraining;
  double limit = wall_seconds() + 10;
  while (outstanding > 0 && wall_seconds() < limit) serve_events(100);
  if (outstanding > 0) load_fail("%d answers never came", outstanding);
  if (latencies.count == 0) load_fail("nothing was answered while measuring");
  report(wall, cpu);
  for (int i = 0; i < options.connections; i++) close(connections[i].fd);
  return 0;
}
