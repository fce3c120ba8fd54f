#include "interpose/code_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/kernel_types.h"
#include "base/raw_syscall.h"

namespace green {

CodeWriter::CodeWriter()
    : fd_(RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC)) {}

CodeWriter::~CodeWriter() { ForgetProcMem(); }

void CodeWriter::ForgetProcMem() {
  if (fd_ >= 0) RawSyscall(SYS_close, fd_);
  fd_ = -1;
}

bool CodeWriter::Write(const void* code, const void* bytes, size_t size) {
  if (fd_ >= 0) {
    const long written = RawSyscall(SYS_pwrite64, fd_, bytes, size, code);
    if (written == static_cast<long>(size)) return true;
  }
  return WriteByProtecting(code, bytes, size);
}

bool CodeWriter::WriteByProtecting(const void* code, const void* bytes, size_t size) {
  constexpr uintptr_t kPage = 4096;
  const uintptr_t at = reinterpret_cast<uintptr_t>(code);
  const uintptr_t begin = at & ~(kPage - 1);
  const uintptr_t length = ((at + size + kPage - 1) & ~(kPage - 1)) - begin;
  const SigSet all = ~SigSet{0};
  SigSet old;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof old);
  const bool writable = RawSyscall(SYS_mprotect, begin, length, PROT_READ | PROT_WRITE) == 0;
  if (writable) {
    __builtin_memcpy(const_cast<void*>(code), bytes, size);
    RawSyscall(SYS_mprotect, begin, length, PROT_READ | PROT_EXEC);
  }
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, sizeof old);
  return writable;
}

}  // namespace green
