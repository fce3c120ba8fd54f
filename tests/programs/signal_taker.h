// A thread that takes the process's signals, as the others block them, until it is told to end.
#pragma once
#include "check.h"

#include <signal.h>

static int signal_taker_ends;

static void* take_signals(void* unused) {
  sigset_t none;
  sigemptyset(&none);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &none, NULL));
  while (!__atomic_load_n(&signal_taker_ends, __ATOMIC_SEQ_CST)) sleep_ms(5);
  return unused;
}

static inline void end_signal_taker(pthread_t taker) {
  __atomic_store_n(&signal_taker_ends, 1, __ATOMIC_SEQ_CST);
  join(taker);
}
