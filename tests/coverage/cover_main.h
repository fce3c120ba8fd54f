// The runner of a family: the rows of FAMILY, each in a process of its own.
#pragma once
#include "tests/coverage/cover.h"

#define BLOCKS(name, system_call, prepare, call, release) \
  static void prepare_##name(void) { prepare; }           \
  static long call_##name(void) { return (long)(call); }  \
  static void release_##name(void) { release; }
#define LASTS(name, system_call, prepare, call) \
  static void prepare_##name(void) { prepare; } \
  static long call_##name(void) { return (long)(call); }
#define RUNS LASTS
#include FAMILY
#undef BLOCKS
#undef LASTS
#undef RUNS

struct cover_case {
  const char* name;
  void (*prepare)(void);
  long (*call)(void);
  void (*release)(void);  // NULL: ends by itself
  int least_ms;           // and then: not before
};

static const struct cover_case cases[] = {
#define BLOCKS(name, system_call, prepare, call, release) \
  {#name, prepare_##name, call_##name, release_##name, 0},
#define LASTS(name, system_call, prepare, call) {#name, prepare_##name, call_##name, NULL, 20},
#define RUNS(name, system_call, prepare, call) {#name, prepare_##name, call_##name, NULL, 0},
#include FAMILY
};

enum { kCases = sizeof cases / sizeof cases[0], kLimitSeconds = 20, kStopped = 2, kTries = 10 };

static const struct cover_case* cover;
static volatile int entered, stop;
static _Atomic long counter;
static pthread_t blocking_thread;
static long result;
static int result_errno;
static int64_t began, ended;

static void call_it(void) {
  began = now_ns(CLOCK_MONOTONIC);
  entered = 1;
  errno = 0;
  result = cover->call();
  result_errno = errno;
  returned = 1;
  ended = now_ns(CLOCK_MONOTONIC);
}

static void* blocker(void* unused) {
  call_it();
  return unused;
}

static void* counting(void* unused) {
  while (!stop) {
    counter++;
    sched_yield();
  }
  return unused;
}

static void* nothing(void* unused) { return unused; }

static void tell_result(int report) {
  dprintf(report, " %ld", result);
  if (result < 0) dprintf(report, " %s", strerrorname_np(result_errno));
  if (data[0]) dprintf(report, " \"%.*s\"", (int)strcspn(data, "\n"), data);
}

static void run_case(int report) {
  cover->prepare();
  pthread_t counts = spawn(counting, NULL);
  AWAIT(counter > 0);
  blocking_thread = spawn(blocker, NULL);
  AWAIT(entered);
  if (cover->release) {
    sleep_ms(5);
    long before = counter;
    AWAIT(counter >= before + 20);
    if (returned) {
      errno = result_errno;
      CHECK_FAIL("%s returned %ld before it was let go", cover->name, result);
    }
    cover->release();
    join(blocking_thread);
  } else {
    long before = counter;
    AWAIT(counter >= before + 20 || returned);
    if (returned && cover->least_ms && counter < before + 20) _exit(kStopped);
    join(blocking_thread);
    if (ended - began < cover->least_ms * MS) CHECK_FAIL("%s did not block", cover->name);
  }
  stop = 1;
  join(counts);
  dprintf(report, "%s:", cover->name);
  tell_result(report);
  dprintf(report, "\n");
}

#include "tests/coverage/cover_cancel.h"

// 0 when the case ended well.
static void (*run)(int report) = run_case;

static int ran_once(int report) {
  pid_t runs = fork();
  CHECK(runs >= 0);
  if (runs == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    join(spawn(nothing, NULL));  // whatever happens at the first thread has happened
    run(report);
    if (at_end) at_end();
    _exit(0);
  }
  int status = -1;
  int64_t limit = now_ns(CLOCK_MONOTONIC) + kLimitSeconds * SECOND;
  sigset_t chld;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  while (waitpid(runs, &status, WNOHANG) == 0) {
    struct timespec left = to_timespec(limit - now_ns(CLOCK_MONOTONIC));
    if (left.tv_sec >= 0) {
      sigtimedwait(&chld, NULL, &left);
      continue;
    }
    dprintf(2, "%s: hangs\n", cover->name);
    kill(-runs, SIGKILL);
    CHECK_EQ(waitpid(runs, &status, 0), runs);
    break;
  }
  kill(-runs, SIGKILL);  // what the case left behind, and its locks with it
  while (waitpid(-runs, NULL, 0) > 0) continue;
  if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == kStopped))
    dprintf(2, "%s: failed (status %#x)\n", cover->name, status);
  return status;
}

// On a loaded machine 30 ms may pass without a turn for the counter, natively too; but not each
// time.
static int ran_well(int report) {
  int status = 0;
  for (int i = 0; i < kTries; i++) {
    status = ran_once(report);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != kStopped) return status;
  }
  dprintf(2, "%s stopped the counter\n", cover->name);
  return status;
}

// With arguments: these cases only; `cancelled`, `cancelled_before`: see cover_cancel.h.
int main(int argc, char** argv) {
  int report = dup(1), failed = 0, ran = 0;
  sigset_t chld;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, NULL);
  CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
#ifdef BEFORE_CASES
  BEFORE_CASES;
#endif
  if (argc > 1 && strncmp(argv[1], "cancelled", 9) == 0) {
    run = strcmp(argv[1], "cancelled") == 0 ? run_cancelled : run_cancelled_before;
    argc--, argv++;
  }
  for (int i = 0; i < kCases; i++) {
    int wanted = argc < 2;
    for (int k = 1; k < argc; k++) wanted |= strcmp(argv[k], cases[i].name) == 0;
    if (run != run_case && is_among(not_cancelled, cases[i].name)) continue;
    if (run == run_cancelled && !cases[i].release) continue;
    if (!wanted) continue;
    cover = &cases[i];
    ran++;
    if (ran_well(report) != 0) failed++;
  }
  CHECK(ran > 0);
  return failed != 0;
}
