// Users and groups belong to kernel threads; the program means the process. A change is made on
// every kernel thread of libgreen's before it is reported as done.
//
//   changer: executes the system call itself; on success it publishes the request under the next
//     sequence number, signals every thread that is behind and waits until none is.
//   others: execute it in the signal handler, wherever they are - idle, blocked in a call or inside
//     libgreen - as it needs no lock and no memory.
//   threads with their own (Task::own_thread) are left alone: libc sends its signal to them, too,
//   and
//     what they then call is theirs.
//   new threads: the kernel copies the creator's credentials; the creator's sequence number is
//     copied along with signals blocked, and the thread is in the list before they come in again.
#pragma once

#include "sched/carrier.h"

namespace green {

// Inside libgreen, current task; may park. Changes of different tasks exclude each other. While
// one has the turn it may change the process's credentials: the kernel's result.
void BeginCredentials();
long ChangeCredentials(long nr, const long args[3]);
void EndCredentials();

// A kick that is told apart from the scheduler's, so that it disturbs nothing. c's thread follows
// changes of credentials, and the first thread counts it (signals.cc). None during an exec, as it
// would end the new program: who waits for the answer asks again. False: not asked.
bool AskForAnswer(Carrier* c);

// In the handler of a kick that IsCredentialsKick knows; c is the current thread's.
bool IsCredentialsKick(int signal_code);
void FollowCredentials(Carrier* c);

void ResetCredentialsAfterFork();

}  // namespace green
