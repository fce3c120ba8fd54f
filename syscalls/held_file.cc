#include "syscalls/held_file.h"

namespace green {

HeldFile::HeldFile(int fd, FdState* s, uint32_t generation) : fd_(fd), held_(false) {
  waiter_.task = CurrentTask();
  waiter_.events = 0;
  held_ = EnlistFd(fd, &waiter_, 0, 0) == 0;
  const bool closed = At() == fd && s->generation.load(std::memory_order_acquire) != generation;
  result_ = closed ? -EBADF : held_ ? 0 : kCannotWait;
}

HeldFile::~HeldFile() {
  if (!held_) return;
  DelistFd(&waiter_);
  const int moved = MovedFd(waiter_, fd_);
  if (moved >= 0) ReleaseMoved(moved);
}

}  // namespace green
