// Counts the user-space instructions that one pass through a path takes, by single steps
// (ptrace(2)): the same on a loaded machine as on an idle one, and without hardware counters,
// which virtual machines often lack.
//
//   count_instructions LIBRARY COMMAND [ARG...]
//
// COMMAND stops at int3 before each pass (hot_paths.c). It runs with LIBRARY preloaded and one
// worker, so that all its threads' instructions are those of one OS thread. Printed: medians over
// the passes, of all instructions and of those in LIBRARY. Not counted is what samples long waits:
// under steps every wait is one.

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSES = 8, MAX_RANGES = 16 };

static pid_t tracee;
static struct { uint64_t begin, end; } library[MAX_RANGES];
static int ranges;
static uint64_t library_begin;
static uint64_t sampler;  // address of a function; 0: there is none
static const char SAMPLER[] = "MeterBlocked";

static void failed(const char* what) {
  fprintf(stderr, "count_instructions: %s: %s\n", what, strerror(errno));
  if (tracee > 0) kill(tracee, SIGKILL);
  exit(1);
}

static void start(const char* path, char** command) {
  tracee = fork();
  if (tracee < 0) failed("fork");
  if (tracee == 0) {
    setenv("LD_PRELOAD", path, 1);
    setenv("GREEN_WORKERS", "1", 1);
    setenv("GREEN_SLICE", "60000", 1);  // ms: a pass takes long under steps
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) failed("ptrace");
    execvp(command[0], command);
    failed(command[0]);
  }
}

// Waits for the next stop; the signal that it is about, 0 at the end.
static int next_stop(void) {
  int status;
  if (waitpid(tracee, &status, 0) != tracee) failed("waitpid");
  if (WIFSTOPPED(status)) return WSTOPSIG(status);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "count_instructions: the program failed (wait status %#x)\n", status);
    exit(1);
  }
  return 0;
}

static uint64_t reg(size_t offset) {
  errno = 0;
  long value = ptrace(PTRACE_PEEKUSER, tracee, offset, NULL);
  if (errno) failed("PTRACE_PEEKUSER");
  return (uint64_t)value;
}

static uint64_t program_counter(void) { return reg(offsetof(struct user_regs_struct, rip)); }
static uint64_t stack_pointer(void) { return reg(offsetof(struct user_regs_struct, rsp)); }

static void find_library(const char* path) {
  char name[64], line[512];
  const char* base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  snprintf(name, sizeof name, "/proc/%d/maps", tracee);
  FILE* maps = fopen(name, "r");
  if (!maps) failed(name);
  while (fgets(line, sizeof line, maps) && ranges < MAX_RANGES) {
    unsigned long begin, end;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3) continue;
    if (!strstr(line, base)) continue;
    if (!library_begin) library_begin = begin;
    if (rights[2] != 'x') continue;
    library[ranges].begin = begin;
    library[ranges++].end = end;
  }
  fclose(maps);
  if (!ranges) {
    fprintf(stderr, "count_instructions: %s is not loaded\n", path);
    kill(tracee, SIGKILL);
    exit(1);
  }
}

// By the library's symbols; it is linked to address 0.
static void find_sampler(const char* path) {
  char command[512], line[512];
  snprintf(command, sizeof command, "nm '%s'", path);
  FILE* symbols = popen(command, "r");
  if (!symbols) failed("nm");
  while (fgets(line, sizeof line, symbols))
    if (strstr(line, SAMPLER)) sampler = library_begin + strtoull(line, NULL, 16);
  pclose(symbols);
}

// Lets the function run that has just been entered; the program counter behind it.
static uint64_t skip_function(void) {
  const uint64_t entered = stack_pointer();
  do {
    if (ptrace(PTRACE_SINGLESTEP, tracee, NULL, NULL) != 0) failed("PTRACE_SINGLESTEP");
    if (!next_stop()) failed("the program ended");
  } while (stack_pointer() <= entered);
  return program_counter();
}

static int in_library(uint64_t pc) {
  for (int i = 0; i < ranges; i++)
    if (pc >= library[i].begin && pc < library[i].end) return 1;
  return 0;
}

static int ascending(const void* a, const void* b) {
  long x = *(const long*)a, y = *(const long*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: count_instructions LIBRARY COMMAND [ARG...]\n");
    return 2;
  }
  start(argv[1], argv + 2);
  if (next_stop() != SIGTRAP) failed("exec");
  // The scheduler's own signals go by: no preemption under steps.
  int signal_number;
  do {
    if (ptrace(PTRACE_CONT, tracee, NULL, NULL) != 0) failed("PTRACE_CONT");
    signal_number = next_stop();
    if (!signal_number) failed("the program never stopped");
  } while (signal_number != SIGTRAP);
  find_library(argv[1]);
  find_sampler(argv[1]);
  const uint64_t marked = program_counter();
  long all[PASSES], own[PASSES], total = 0, inside = 0;
  int passes = 0;
  while (passes < PASSES) {
    if (ptrace(PTRACE_SINGLESTEP, tracee, NULL, NULL) != 0) failed("PTRACE_SINGLESTEP");
    signal_number = next_stop();
    if (!signal_number) break;
    if (signal_number != SIGTRAP) continue;
    uint64_t pc = program_counter();
    if (sampler && pc == sampler) pc = skip_function();
    total++;
    inside += in_library(pc);
    if (pc != marked) continue;
    all[passes] = total;
    own[passes++] = inside;
    total = inside = 0;
  }
  kill(tracee, SIGKILL);
  if (!passes) failed("no pass was seen");
  qsort(all, (size_t)passes, sizeof *all, ascending);
  qsort(own, (size_t)passes, sizeof *own, ascending);
  printf("passes=%d instructions=%ld library=%ld\n", passes, all[passes / 2], own[passes / 2]);
  return 0;
}
