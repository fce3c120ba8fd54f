// What read(2) takes from a signalfd(2) and the kernel does not have: signals sent to one task.
// Those for the process stay with the kernel (sched/held_signals.h), which also makes the fd
// readable.
#pragma once

#include <cstddef>

namespace green {

// Bytes written to buf: whole signalfd_siginfo records of what is pending for the current task and
// in the descriptor's mask. 0: none, or fd is something else. -EFAULT.
long ReadOwnSignals(int fd, void* buf, size_t size);

}  // namespace green
