#include "syscalls/held_file.h"

namespace green {

HeldFile::HeldFile(int fd, FdState* s, uint32_t generation, bool begun)
    : fd_(fd), begun_(begun), held_(false) {
  waiter_.task = CurrentTask();
  waiter_.events = 0;
  held_ = EnlistFd(fd, &waiter_, 0, 0) == 0;
  const bool closed = At() == fd && s->generation.load(std::memory_order_acquire) != generation;
  result_ = closed ? -EBADF : held_ ? 0 : kCannotWait;
}

HeldFile::~HeldFile() {
  if (own_ >= 0) ReleaseMoved(own_);
  if (!held_) return;
  DelistFd(&waiter_);
  const int moved = MovedFd(waiter_, fd_);
  if (moved >= 0) ReleaseMoved(moved);
}

// A close moves the waiter before the kernel closes: with the waiter still there behind the
// copying, the copy is of its file. Once moved, it is at a private number already. Without a number
// to be had the program's has to do.
void HeldFile::Own() {
  while (held_ && At() == fd_) {
    const int copy = MakePrivateNumber(fd_);
    if (copy < 0) return;
    if (At() == fd_) {
      own_ = copy;
      return;
    }
    ReleaseMoved(copy);
  }
}

}  // namespace green
