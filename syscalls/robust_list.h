// Robust lists of tasks (get_robust_list(2), robust-futexes in the kernel's documentation): the
// locks that a thread holds when it ends are marked, and a waiter goes on.
//
// Who marks the locks of            when the thread ends      when the process is killed or leaves
//   a task with its thread's number   EndRobustList             the kernel: it has the list, too
//   any other task                    EndRobustList             the death watch
// The kernel walks its threads' lists and looks for their own numbers, so a task whose number is
// its OS thread's (a bound one) registers its list there, from set_robust_list(2) to EndRobustList:
// the thread's next task has another. That is more than sooner: a priority-inheritance lock is
// waited for in the kernel by its owner's number (shared_pi.h), and an owner who is gone while its
// lock still bears that number is ESRCH, which glibc takes for a broken mutex and aborts. The
// kernel marks first and forgets the number then. The locks of other tasks hold numbers that the
// kernel does not know: they are waited for by value and marked by who outlives the process
// (sched/death_watch.h), which exists while both hold: some loaded object uses robust mutexes, and
// other processes may share memory with this one.
#pragma once

#include "sched/task.h"

namespace green {

// The task has executed its last instruction, but may still park. Inside libgreen. Nothing is left
// to do the second time.
void EndRobustList(Task* t);

// Some loaded object uses robust mutexes.
void NoteRobustUser();
// This may be the first memory that is shared.
void WatchRobustLists();
void ResetRobustListsAfterFork();

}  // namespace green
