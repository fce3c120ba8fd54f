// Files whose signals are for one task (fcntl(2), F_SETOWN_EX with F_OWNER_TID). The kernel knows
// the process as the owner, and names the number that the file has in the signal, which it does
// only if a signal was chosen (F_SETSIG): for a task that is to have a plain SIGIO, SIGIO is.
// An owner belongs to an open file; the number that it was told by stands for it, as long as that
// is open. Inside libgreen; locked inside.
#pragma once

#include "sched/signals.h"

namespace green {

struct FileOwner {
  uint32_t tid = 0;    // 0: none
  bool plain = false;  // the program has chosen no signal
};

bool SetFileOwner(int fd, FileOwner owner);  // tid 0: no more; false without room
FileOwner OwnerOfFile(int fd);
// The task that a file's signal is for, or null; info becomes what its owner is to see.
Task* OwnerOfSignal(SigInfo* info);
void ResetFileOwnersAfterFork();

}  // namespace green
