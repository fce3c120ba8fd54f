#include "sched/open_numbers.h"

#include <poll.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {

OpenNumbers::OpenNumbers() {
  pollfd fds[kCount];
  for (int fd = 0; fd < kCount; ++fd) fds[fd] = {fd, 0, 0};
  // Asks for more than RLIMIT_NOFILE are refused.
  const bool told = !IsError(RawSyscall(SYS_poll, fds, kCount, 0));
  for (uint64_t& word : bits_) word = 0;
  for (int fd = 0; fd < kCount; ++fd)
    if (!told || !(fds[fd].revents & POLLNVAL)) bits_[fd / 64] |= uint64_t{1} << (fd % 64);
}

}  // namespace green
