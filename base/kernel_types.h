// The kernel's own layouts where libc's differ (sources: include/uapi of Linux 6.18).
#pragma once

#include <cstdint>

namespace green {

using SigSet = uint64_t;  // bit s-1 stands for signal s

constexpr SigSet SigBit(int sig) { return SigSet{1} << (sig - 1); }

// struct sigaction as rt_sigaction(2) takes it on x86-64.
struct KernelSigaction {
  void* handler;
  unsigned long flags;
  void* restorer;
  SigSet mask;
};

struct KernelTimespec {
  int64_t sec;
  int64_t nsec;
};

// struct clone_args, clone3(2), version 0 (64 bytes) and what followed.
struct CloneArgs {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  uint64_t set_tid, set_tid_size, cgroup;
};

// struct sched_attr, sched_setattr(2), first version. Times in ns.
struct KernelSchedAttr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};
static_assert(sizeof(KernelSchedAttr) == 48);

constexpr unsigned long kSaRestorer = 0x04000000;

}  // namespace green
