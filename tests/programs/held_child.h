// A call that lasts: waitpid for a child that lives until the program closes hold[1].
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int hold[2];  // a pipe

static void wait_for_held_child(void) {
  pid_t child = fork();
  if (child == 0) {
    char c;
    close(hold[1]);
    _exit(read(hold[0], &c, 1));
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}
