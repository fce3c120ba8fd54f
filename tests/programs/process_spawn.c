// posix_spawn with file actions, vfork and exec, system and popen, from many threads at once.
#include "check.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

static void by_spawn(int id) {
  int fds[2];
  CHECK_OK(pipe2(fds, O_CLOEXEC));
  posix_spawn_file_actions_t actions;
  CHECK_OK(posix_spawn_file_actions_init(&actions));
  CHECK_OK(posix_spawn_file_actions_adddup2(&actions, fds[1], 1));
  CHECK_OK(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0));
  char script[64], want[32], got[32] = "";
  snprintf(script, sizeof script, "cat; echo spawned %d; exit %d", id, id % 100);
  int size = snprintf(want, sizeof want, "spawned %d\n", id), status;
  char* arguments[] = {"sh", "-c", script, NULL};
  pid_t child;
  CHECK_OK(posix_spawn(&child, "/bin/sh", &actions, NULL, arguments, environ));
  CHECK_OK(close(fds[1]));
  CHECK_EQ(read(fds[0], got, sizeof got), size);
  CHECK(strcmp(got, want) == 0);
  CHECK_EQ(read(fds[0], got, sizeof got), 0);
  CHECK_OK(close(fds[0]));
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), id % 100);
  CHECK_OK(posix_spawn_file_actions_destroy(&actions));
  CHECK_EQ(posix_spawn(&child, "/nowhere/at/all", NULL, NULL, arguments, environ), ENOENT);
}

static void by_vfork(int id) {
  char code[16];
  snprintf(code, sizeof code, "exit %d", id % 100);
  pid_t child = vfork();
  CHECK(child >= 0);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", code, (char*)NULL);
    _exit(127);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), id % 100);
}

static void by_popen(int id) {
  char command[64], line[64], want[64];
  snprintf(command, sizeof command, "echo popen %d; exit 3", id);
  snprintf(want, sizeof want, "popen %d\n", id);
  FILE* stream = popen(command, "re");
  CHECK(stream != NULL);
  CHECK(fgets(line, sizeof line, stream) != NULL);
  CHECK(strcmp(line, want) == 0);
  CHECK(fgets(line, sizeof line, stream) == NULL);
  CHECK_EQ(WEXITSTATUS(pclose(stream)), 3);
}

static void* body(void* argument) {
  int id = (int)(intptr_t)argument;
  by_spawn(id);
  by_vfork(id);
  by_popen(id);
  char command[32];
  snprintf(command, sizeof command, "exit %d", id);
  CHECK_EQ(WEXITSTATUS(system(command)), id);
  return NULL;
}

int main(void) {
  pthread_t threads[10];
  for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void*)(i + 20));
  for (int i = 0; i < 10; i++) join(threads[i]);
  CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
  printf("40 processes\n");
}
