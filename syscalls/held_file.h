// The open file of a call that does its work in parts, a long write for one. Natively such a call
// keeps the file that its number meant when it began, whoever closes the number, or gives it to
// another file, meanwhile. So before it waits, and between its parts, it is enlisted for no event:
// a close moves it, like every waiter, to a private number for the same file (sched/reactor.h).
// Between its look at the number and the kernel's nothing would hold the file, so from its second
// part on a call uses a private number of its own. Before the first it need not: one that meets
// another file is as one that began after the close.
#pragma once

#include "syscalls/fd_info.h"

namespace green {

class HeldFile {
 public:
  // generation: the number's, from before the call's first part, which has been done if `begun`.
  HeldFile(int fd, FdState* s, uint32_t generation, bool begun);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  // 0; -EBADF: the number was closed before; kCannotWait.
  long Result() const { return result_; }
  // The number to use now; -1: closed while there was no private one to be had.
  int At() const { return lost() ? -1 : held_ ? waiter_.fd.load(std::memory_order_acquire) : fd_; }

  // TryOrWait on the file, for a part.
  template <typename Attempt>
  long Try(uint32_t direction, Attempt attempt) {
    if (begun_ && own_ < 0) Own();
    for (;;) {
      const int at = At();
      FdState* s = FdStateOf(at);
      const long r = s ? TryOrWait(at, s, direction,
                                   [&](int fd, FdState* state) {
                                     return attempt(own_ >= 0 ? own_ : fd, state);
                                   })
                       : -EBADF;
      begun_ |= r > 0;
      if (r != -EBADF || at == At()) return r;
    }
  }
  bool Nonblocking() const {
    for (;;) {
      const int at = At();
      FdState* s = FdStateOf(at);
      const bool r = s && IsNonblocking(at, s);
      if (at == At()) return r;
    }
  }

 private:
  void Own();
  bool lost() const { return held_ && waiter_.fired.load(std::memory_order_acquire); }

  const HeldByCall held_by_call_;
  FdWaiter waiter_;
  const int fd_;
  int own_ = -1;  // the private number
  bool begun_;
  bool held_;
  long result_;
};

}  // namespace green
