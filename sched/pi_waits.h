// Mutexes that inherit priorities, in private memory, for which tasks wait: when the owner of one
// ends, robust or not, a waiter has it (the kernel's exit_pi_state_list, kernel/futex/core.c).
#pragma once

#include <cstdint>

#include "base/list.h"

namespace green {

// For as long as it is there, a task may wait for the word. Begins before the owner is looked up.
class PiWait : private ListNode {
 public:
  explicit PiWait(uint32_t* word);
  ~PiWait();
  PiWait(const PiWait&) = delete;
  PiWait& operator=(const PiWait&) = delete;

 private:
  friend uint32_t* AwaitedOf(uint32_t tid);
  uint32_t* word_;
};

// Such a word that bears the number, or null. With no lock held.
uint32_t* AwaitedOf(uint32_t tid);

void ResetPiWaitsAfterFork();

}  // namespace green
