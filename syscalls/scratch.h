// Memory for one call whose size the program decides: on the stack when small, mapped otherwise.
// Freed at the end of the scope, never across a signal handler.
#pragma once

#include <sys/mman.h>

#include <cstddef>

#include "base/raw_syscall.h"

namespace green {

template <typename T, size_t kInline>
class Scratch {
 public:
  explicit Scratch(size_t n) : data_(inline_), bytes_(0) {
    if (n <= kInline) return;
    bytes_ = n * sizeof(T);
    const long p =
        RawSyscall(SYS_mmap, 0, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    data_ = IsError(p) ? nullptr : reinterpret_cast<T*>(p);
  }
  ~Scratch() {
    if (bytes_ && data_) RawSyscall(SYS_munmap, data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  bool Ok() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  T* Data() { return data_; }

 private:
  T inline_[kInline];
  T* data_;
  size_t bytes_;
};

}  // namespace green
