// Does one thing again and again and stops for its tracer before each time (count_instructions.c).
//
//   hot_paths NAME
//   hot_paths --list

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMES = 24 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static sem_t mine, partners;
static int in[2], out[2];
static volatile int over;

__attribute__((noinline)) static void mark(void) { __asm__ volatile("int3" : : : "memory"); }

static void failed(const char* what) {
  perror(what);
  exit(1);
}

static void round_trip_sem(void) {
  sem_post(&partners);
  sem_wait(&mine);
}

static void* partner_sem(void* unused) {
  for (;;) {
    sem_wait(&partners);
    if (over) return unused;
    sem_post(&mine);
  }
}

static void end_sem(void) { sem_post(&partners); }

static void round_trip_cond(void) {
  turn = 1;
  pthread_cond_signal(&turned);
  while (turn == 1) pthread_cond_wait(&turned, &mutex);
}

static void* partner_cond(void* unused) {
  pthread_mutex_lock(&mutex);
  while (!over) {
    if (turn == 1) {
      turn = 0;
      pthread_cond_signal(&turned);
    }
    while (turn != 1 && !over) pthread_cond_wait(&turned, &mutex);
  }
  pthread_mutex_unlock(&mutex);
  return unused;
}

static void begin_cond(void) { pthread_mutex_lock(&mutex); }

static void end_cond(void) {
  pthread_cond_signal(&turned);
  pthread_mutex_unlock(&mutex);
}

static void yield(void) { sched_yield(); }

static void* partner_yield(void* unused) {
  while (!over) sched_yield();
  return unused;
}

static void* nothing(void* unused) { return unused; }

static void create_join(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, nothing, NULL) != 0) failed("pthread_create");
  pthread_join(thread, NULL);
}

static void lock_unlock(void) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
}

static void open_pipes(void) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) failed("pipe");
  in[0] = back[0], out[0] = there[1], in[1] = there[0], out[1] = back[1];
}

static void write_read(void) {
  char byte = 'x';
  if (write(out[0], &byte, 1) != 1 || read(in[1], &byte, 1) != 1) failed("pipe");
}

static void round_trip_pipe(void) {
  char byte = 'x';
  if (write(out[0], &byte, 1) != 1 || read(in[0], &byte, 1) != 1) failed("pipe");
}

static void* partner_pipe(void* unused) {
  char byte;
  while (read(in[1], &byte, 1) == 1 && !over)
    if (write(out[1], &byte, 1) != 1) failed("write");
  return unused;
}

static void end_pipe(void) { close(out[0]); }

static void open_sockets(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) failed("socketpair");
  out[0] = in[0] = ends[0], in[1] = out[1] = ends[1];
}

static void send_receive(void) {
  char byte = 'x';
  if (send(out[0], &byte, 1, 0) != 1 || recv(in[1], &byte, 1, 0) != 1) failed("socket");
}

static void poll_ready(void) {
  struct pollfd writable = {.fd = out[0], .events = POLLOUT};
  if (poll(&writable, 1, -1) != 1) failed("poll");
}

static const struct path {
  const char* name;
  void (*once)(void);
  void* (*partner)(void*);
  void (*begin)(void);
  void (*end)(void);
} paths[] = {
    {"sem", round_trip_sem, partner_sem, NULL, end_sem},
    {"cond", round_trip_cond, partner_cond, begin_cond, end_cond},
    {"yield", yield, partner_yield, NULL, NULL},
    {"create-join", create_join, NULL, NULL, NULL},
    {"mutex", lock_unlock, NULL, NULL, NULL},
    {"write-read", write_read, NULL, open_pipes, NULL},
    {"pipe", round_trip_pipe, partner_pipe, open_pipes, end_pipe},
    {"send-receive", send_receive, NULL, open_sockets, NULL},
    {"poll-ready", poll_ready, NULL, open_sockets, NULL},
};
enum { PATHS = sizeof paths / sizeof *paths };

int main(int argc, char** argv) {
  const struct path* path = NULL;
  for (int i = 0; i < PATHS; i++) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) puts(paths[i].name);
    if (argc == 2 && strcmp(argv[1], paths[i].name) == 0) path = &paths[i];
  }
  if (argc == 2 && strcmp(argv[1], "--list") == 0) return 0;
  if (!path) {
    fprintf(stderr, "usage: hot_paths NAME | --list\n");
    return 2;
  }
  sem_init(&mine, 0, 0);
  sem_init(&partners, 0, 0);
  if (path->begin) path->begin();
  pthread_t thread;
  if (pthread_create(&thread, NULL, path->partner ? path->partner : nothing, NULL) != 0)
    failed("pthread_create");
  for (int i = 0; i < 1000; i++) path->once();  // warm, and the tables grown
  for (int i = 0; i < TIMES; i++) {
    mark();
    path->once();
  }
  mark();
  over = 1;
  if (path->end) path->end();
  pthread_join(thread, NULL);
  return 0;
}
