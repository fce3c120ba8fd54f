// The signal mask that ppoll(2), pselect(2), epoll_pwait(2) and sigsuspend(2) put in place for the
// time of the call. If a handler runs, it runs under the temporary mask and the old one comes
// back after it (Task::in_handler_mask); if none does, Finish brings it back.
#pragma once

#include "sched/signals.h"
#include "syscalls/call.h"

namespace green {

class TemporaryMask {
 public:
  TemporaryMask(const void* user, size_t size) {
    if (!user) return;
    SigSet set;
    if (size != sizeof set) {
      error_ = -EINVAL;
    } else if (!CopyIn(&set, user)) {
      error_ = -EFAULT;
    } else {
      used_ = true;
      Task* t = CurrentTask();
      if (t->in_handler_mask) return;  // the call is being restarted
      t->saved_mask = t->mask;
      t->in_handler_mask = true;
      SetTaskMask(t, set);
    }
  }
  long Error() const { return error_; }
  // The result as the dispatcher is to see it.
  long Finish(long r) {
    if (!used_ || (r <= kRestart && r >= kRestartNoHandler)) return r;
    Task* t = CurrentTask();
    if (t->in_handler_mask) {
      t->in_handler_mask = false;
      SetTaskMask(t, t->saved_mask);
    }
    return r;
  }

 private:
  long error_ = 0;
  bool used_ = false;
};

}  // namespace green
