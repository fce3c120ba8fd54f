// The open file of a call that does its work in parts, a long write for one. Natively such a call
// keeps the file that its number meant when it began, whoever closes the number, or gives it to
// another file, meanwhile. So before it waits, and between its parts, it is enlisted for no event:
// a close moves it, like every waiter, to a private number for the same file (sched/reactor.h).
//
// What is left: between At() and the kernel's look at the number nothing holds the file.
#pragma once

#include "syscalls/fd_info.h"

namespace green {

class HeldFile {
 public:
  // generation: the number's, from before the call's first part.
  HeldFile(int fd, FdState* s, uint32_t generation);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  // 0; -EBADF: the number was closed before; kCannotWait.
  long Result() const { return result_; }
  // The number to use now; -1: closed while there was no private one to be had.
  int At() const { return lost() ? -1 : held_ ? waiter_.fd.load(std::memory_order_acquire) : fd_; }

  // TryOrWait on the file.
  template <typename Attempt>
  long Try(uint32_t direction, Attempt attempt) {
    for (;;) {
      const int at = At();
      FdState* s = FdStateOf(at);
      const long r = s ? TryOrWait(at, s, direction, attempt) : -EBADF;
      if (r != -EBADF || at == At()) return r;
    }
  }
  bool Nonblocking() const {
    const int at = At();
    FdState* s = FdStateOf(at);
    return s && IsNonblocking(at, s);
  }

 private:
  bool lost() const { return held_ && waiter_.fired.load(std::memory_order_acquire); }

  FdWaiter waiter_;
  const int fd_;
  bool held_;
  long result_;
};

}  // namespace green
