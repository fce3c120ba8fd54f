// What only the process's first thread can do for the main task, whose number is that thread's
// though it may run on another.
//
//   asker: writes the word, signals the first thread, and waits until the word is null again.
//   first thread: in the signal's handler, wherever it is, as that needs no lock and no memory.
// Only the main task asks: one at a time. It may park meanwhile.
#pragma once

#include <cstdint>

namespace green {

// FUTEX_UNLOCK_PI (futex(2)) by the thread whose number the current task has: the kernel's result.
// Inside libgreen, by a task with a kernel thread's number.
long UnlockPiOnThread(uint32_t* word);

// The main task ends with the robust mutex in hand: it becomes free, or who waits in the kernel has
// it, with FUTEX_OWNER_DIED. Inside libgreen, by that task. A waiter that the kernel
// gives it to may be quicker than the flag, as no futex call sets both.
void MainOwnerDied(uint32_t* word);

// On the first thread, in the handler of a kick.
void AnswerAsFirst();

void ResetFirstThreadAfterFork();

}  // namespace green
