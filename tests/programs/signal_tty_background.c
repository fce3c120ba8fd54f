// A background process whose threads block SIGTTIN and SIGTTOU reads EIO from its terminal, and may
// write to it and take the foreground.
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

static void* in_background(void* tty) {
  int fd = *(int*)tty;
  char c;
  CHECK_ERRNO(read(fd, &c, 1), EIO);
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_OK(tcsetpgrp(fd, getpgrp()));
  return tty;
}

static int background(int tty) {
  sigset_t set;
  sigfillset(&set);
  CHECK_OK(setpgid(0, 0));
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  join(spawn(in_background, &tty));
  CHECK_EQ(tcgetpgrp(tty), getpgrp());
  return 0;
}

static void leads_session(const char* name, int master) {
  CHECK(setsid() > 0);
  int tty = open(name, O_RDWR);
  CHECK(tty >= 0);
  CHECK_OK(ioctl(tty, TIOCSCTTY, 0));
  struct termios mode;
  CHECK_OK(tcgetattr(tty, &mode));
  mode.c_lflag |= TOSTOP;  // Background writes want SIGTTOU too.
  CHECK_OK(tcsetattr(tty, TCSANOW, &mode));
  CHECK_EQ(write(master, "input\n", 6), 6);
  pid_t child = fork();
  if (child == 0) _exit(background(tty));
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

int main(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK(master >= 0);
  CHECK_OK(grantpt(master));
  CHECK_OK(unlockpt(master));
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    leads_session(ptsname(master), master);
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("in the background");
}
