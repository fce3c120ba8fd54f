#include "sched/early_handlers.h"

#include <sys/ucontext.h>

#include "arch/x86_64/user_memory.h"
#include "sched/altstack.h"
#include "sched/held_signals.h"
#include "sched/signal_actions.h"

namespace green {
namespace {

using namespace signals;

constexpr uintptr_t kFarthest = 1 << 20;  // a handler's own stack is smaller, mostly by far
constexpr int kMostStacks = 8;

bool IsRestorer(uint64_t address) {
  for (int sig = 1; sig <= 64; ++sig) {
    const KernelSigaction a = ActionOf(sig);
    if ((a.flags & kSaRestorer) && reinterpret_cast<uint64_t>(a.restorer) == address) return true;
  }
  return false;
}

void AdoptOn(uintptr_t sp, int more_stacks, uint64_t restorer) {
  const uintptr_t begin = (sp & ~15ul) + 8;
  uint64_t word;
  for (uintptr_t at = begin; at < begin + kFarthest; at += 16) {
    if (!green_load64(reinterpret_cast<void*>(at), &word)) return;  // the stack's end
    if (!word || !LooksLikeSignalFrame(at) || !IsRestorer(word)) continue;
    green_store64(reinterpret_cast<void*>(at), restorer);
    const auto uc = reinterpret_cast<const ucontext_t*>(at + sizeof word);
    const auto below = static_cast<uintptr_t>(uc->uc_mcontext.gregs[REG_RSP]);
    const bool elsewhere = below < begin || below > begin + kFarthest;
    if (elsewhere && more_stacks) AdoptOn(below, more_stacks - 1, restorer);
  }
}

// The handler has returned; its ucontext is the kernel's next.
extern "C" __attribute__((visibility("hidden"), used)) void green_end_early_handler(void* context) {
  if (CurrentCarrier()->native) return;  // in a child that it forked
  auto uc = static_cast<ucontext_t*>(context);
  auto mask = reinterpret_cast<SigSet*>(&uc->uc_sigmask);
  EnterGreen();
  Task* t = CurrentTask();
  SetAltstack(t, uc->uc_stack, reinterpret_cast<uintptr_t>(uc));
  uc->uc_stack.ss_flags = -1;  // no such stack: the carrier's own stays
  SetTaskMask(t, *mask);
  LeaveGreenAndDeliver();
  BlockUntilReturn();  // nothing moves the task to another carrier now
  *mask = CarrierMask(CurrentCarrier());
}

}  // namespace

void AdoptEarlyHandlers(uintptr_t sp, void (*restorer)()) {
  if (CurrentTask()->mask) AdoptOn(sp, kMostStacks, reinterpret_cast<uint64_t>(restorer));
}

}  // namespace green
