// fcntl(2): F_SETOWN_EX, F_SETSIG and their kin, for files whose signals are for one task
// (sched/file_owners.h).
#pragma once

#include "syscalls/call.h"

namespace green {

// True if the call is one of those, and done.
bool FileOwnerCall(const SyscallFrame& f, long* result);

}  // namespace green
