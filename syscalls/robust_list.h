// Robust lists of tasks (get_robust_list(2), robust-futexes in the kernel's documentation): the
// locks that a thread holds when it ends are marked, and a waiter goes on.
//
// When a process is killed the kernel walks its threads' lists and looks for their own numbers; the
// locks of tasks hold numbers that it does not know. They are marked by who outlives the process
// (sched/death_watch.h), which exists while both hold: some loaded object uses robust mutexes, and
// other processes may share memory with this one.
#pragma once

#include "sched/task.h"

namespace green {

// The task has executed its last instruction. Inside libgreen.
void EndRobustList(Task* t);

// Some loaded object uses robust mutexes.
void NoteRobustUser();
// This may be the first memory that is shared.
void WatchRobustLists();
void ResetRobustListsAfterFork();

}  // namespace green
