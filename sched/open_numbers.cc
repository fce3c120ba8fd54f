#include "sched/open_numbers.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {

OpenNumbers::OpenNumbers() {
  for (uint64_t& word : bits_) word = 0;
  // One poll(2) would tell all, but asks the files: a FUSE server, which may not answer.
  for (int fd = 0; fd < kCount; ++fd)
    if (!IsError(RawSyscall(SYS_fcntl, fd, F_GETFD))) bits_[fd / 64] |= uint64_t{1} << (fd % 64);
}

}  // namespace green
