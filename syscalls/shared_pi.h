// FUTEX_LOCK_PI and its kin (futex(2)) in memory that processes share. The kernel looks for the
// owner by the number in the word. A bound task's and the main one's is a kernel thread's; a green
// task's is none that the kernel knows.
//   free:  0, or FUTEX_OWNER_DIED          held: the owner's number
//   FUTEX_WAITERS: somebody waits, or may. Who has waited sets it with its own number, as it
//     does not know about others, and an unlock wakes one when it is set: so each waiter has its
//     wake to come.
// Where one waits:
//   in the kernel (LOCK_PI), for an owner that the kernel knows: bound tasks, native threads. The
//     kernel gives it to them without its being free; so owners that they wait for unlock there,
//     the main task by way of its thread (first_thread.h).
//   in the kernel, on the word's value, for a green owner only: else the kernel would refuse
//     others' waits and the owner's unlock. Who finds sleepers and another owner wakes them first.
//   here, for an owner that the kernel knows: green tasks. Woken by owners of this process; of
//     others', they find out by looking, after milliseconds.
// Nobody inherits a priority from or through a green task. A native thread cannot wait for a green
// owner.
#pragma once

#include "syscalls/call.h"

namespace green {

// The call is one of those; word: its first argument.
bool IsSharedPi(int op);
long SharedPi(SyscallFrame& f, uint32_t* word);
// The task of that number has ended with the mutex of a robust list in hand (robust_list.h).
void SharedPiOwnerDied(uint32_t* word, uint32_t tid);
void ResetSharedPiAfterFork();

}  // namespace green
