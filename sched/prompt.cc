#include "sched/prompt.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/kernel_types.h"
#include "base/raw_syscall.h"

namespace green {
namespace {

constexpr uint64_t kShortestSliceNs = 100'000;  // what the kernel grants at least
constexpr long kNoSlackNs = 1;
constexpr int kPolicyIdle = 5;  // SCHED_IDLE

// One thread is prompt: the monitor.
KernelSchedAttr g_before = {};
long g_slack_before = 0;

bool IsNormal(uint32_t policy) {
  return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == kPolicyIdle;
}

void SetSlice(uint64_t ns) {
  if (!g_before.size) return;
  KernelSchedAttr attr = g_before;
  attr.runtime = ns;
  RawSyscall(SYS_sched_setattr, 0, &attr, 0);
}

}  // namespace

void BecomePrompt() {
  KernelSchedAttr attr = {};
  const long r = RawSyscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0);
  g_before = {};
  if (!IsError(r) && IsNormal(attr.policy)) g_before = attr;
  SetSlice(kShortestSliceNs);
  g_slack_before = RawSyscall(SYS_prctl, PR_GET_TIMERSLACK);
  if (g_slack_before > kNoSlackNs) RawSyscall(SYS_prctl, PR_SET_TIMERSLACK, kNoSlackNs);
}

void BecomeOrdinary() {
  SetSlice(g_before.runtime);
  if (g_slack_before > kNoSlackNs) RawSyscall(SYS_prctl, PR_SET_TIMERSLACK, g_slack_before);
}

}  // namespace green
