// A threaded program becomes a daemon, by daemon(3) and by hand: sessions, two forks, all
// descriptors closed; the daemon serves with threads, and nobody is left a zombie.
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void* serve(void* fd) {
  int client = (int)(intptr_t)fd;
  char c;
  while (read(client, &c, 1) == 1) {
    c++;
    CHECK_EQ(write(client, &c, 1), 1);
  }
  CHECK_OK(close(client));
  return NULL;
}

static void run_daemon(void) {
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, 16)) _exit(1);
  pthread_t threads[8];
  for (int i = 0; i < 8; i++)
    threads[i] = spawn(serve, (void*)(intptr_t)accept(listener, NULL, NULL));
  for (int i = 0; i < 8; i++) join(threads[i]);
  _exit(0);
}

static void* use(void* unused) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  AWAIT(connect(fd, (struct sockaddr*)&address, sizeof address) == 0);
  for (char i = 0; i < 50; i++) {
    char c = i;
    CHECK_EQ(write(fd, &c, 1), 1);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, i + 1);
  }
  CHECK_OK(close(fd));
  return unused;
}

static void by_library(void) {
  CHECK_OK(daemon(1, 0));
  CHECK_EQ(getsid(0), getpgrp());
}

static void by_hand(void) {
  if (fork()) _exit(0);
  CHECK(setsid() == getpid());
  if (fork()) _exit(0);
  CHECK(getsid(0) != getpid());
  closefrom(0);
  CHECK_EQ(open("/dev/null", O_RDWR), 0);
  CHECK_EQ(dup(0), 1);
  CHECK_EQ(dup(0), 2);
}

static void* nothing(void* argument) { return argument; }

static void* start(void* how) {
  snprintf(address.sun_path, sizeof address.sun_path, "daemon.%d", how == (void*)by_hand);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    join(spawn(nothing, NULL));  // threaded before it becomes one
    ((void (*)(void))(uintptr_t)how)();
    run_daemon();
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) threads[i] = spawn(use, NULL);
  for (int i = 0; i < 8; i++) join(threads[i]);
  CHECK_OK(unlink(address.sun_path));
  CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
  return NULL;
}

int main(void) {
  join(spawn(start, (void*)(uintptr_t)by_library));
  join(spawn(start, (void*)(uintptr_t)by_hand));
  start((void*)(uintptr_t)by_library);
  puts("three daemons");
}
