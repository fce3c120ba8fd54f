// The cases of a family, cancelled: while they are blocked in their call, or before they make it.
// Most calls are cancellation points (pthreads(7)) and end; those named by the family's GOES_ON are
// none, or wait for what no signal interrupts, and are let go after the cancellation was asked for.
// Those of NOT_CANCELLED do not survive it natively (a lock of the loader stays taken, a child of
// vfork is cancelled, too), or leave a child behind that prints. It is told whether the thread was
// cancelled or the call returned, and what, to be compared with the native run.
#pragma once

#ifndef GOES_ON
#define GOES_ON NULL
#endif

#ifndef NOT_CANCELLED
#define NOT_CANCELLED NULL
#endif

// "*" stands for all of a family.
static int is_among(const char* const* names, const char* name) {
  for (; *names; names++)
    if (strcmp(*names, "*") == 0 || strcmp(*names, name) == 0) return 1;
  return 0;
}

static const char* const goes_on[] = {GOES_ON, NULL};
static const char* const not_cancelled[] = {NOT_CANCELLED, NULL};

static void end_cancelled(int report) {
  if (cover->release && is_among(goes_on, cover->name)) cover->release();
  void* end = join(blocking_thread);
  dprintf(report, "%s:", cover->name);
  if (end == PTHREAD_CANCELED)
    dprintf(report, " cancelled");
  else
    tell_result(report);
  dprintf(report, "\n");
}

static void run_cancelled(int report) {
  cover->prepare();
  blocking_thread = spawn(blocker, NULL);
  AWAIT(entered);
  sleep_ms(5);
  CHECK_OK(pthread_cancel(blocking_thread));
  sleep_ms(5);
  end_cancelled(report);
}

static void end_call(void* unused) {
  (void)unused;
  returned = 1;
}

static void* cancelled_blocker(void* unused) {
  CHECK_OK(pthread_cancel(pthread_self()));
  pthread_cleanup_push(end_call, NULL);
  call_it();
  pthread_cleanup_pop(0);
  return unused;
}

static void run_cancelled_before(int report) {
  cover->prepare();
  blocking_thread = spawn(cancelled_blocker, NULL);
  AWAIT(entered);
  sleep_ms(20);
  end_cancelled(report);
}
