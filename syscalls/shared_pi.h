// FUTEX_LOCK_PI and its kin (futex(2)) in memory that processes share. The kernel looks for the owner
// by the number in the word. A bound task's is its OS thread's: its calls are the kernel's, and it
// shares such mutexes with native programs. A green task's number is no kernel thread's. For it
// the word's protocol is kept, and waiters sleep in the kernel on its value. Nobody inherits a
// priority.
//   free:  0, or FUTEX_OWNER_DIED          held: the owner's number
//   FUTEX_WAITERS: somebody sleeps, or may. Who has slept sets it with its own number, as it does
//   not
//     know about others, and an unlock wakes one when it is set: so each sleeper has its wake to
//     come.
// Between programs under libgreen only: a native one asks the kernel. Where bound and green tasks
// meet, the kernel refuses the former's calls, and they do as the latter.
#pragma once

#include "syscalls/call.h"

namespace green {

// The call is one of those; word: its first argument.
bool IsSharedPi(int op);
long SharedPi(SyscallFrame& f, uint32_t* word);

}  // namespace green
