#include "sched/user_dispatch.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

#include "arch/x86_64/layout.h"
#include "arch/x86_64/user_memory.h"
#include "base/raw_syscall.h"
#include "sched/state.h"

namespace green {

extern "C" void green_sigreturn() asm("__restore_rt");
extern "C" __attribute__((visibility("hidden"))) void green_syscall_entry_flags();
// Bounds of the library's code, from the linker.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace {

// linux/prctl.h, which may be older than the kernel; asm-generic/siginfo.h.
constexpr int kSetUserDispatch = 59, kOff = 0, kOn = 1;
constexpr int kDispatched = 2;  // SYS_USER_DISPATCH

uintptr_t g_slot_return = 0;

// struct siginfo's _sigsys.
struct SigsysInfo {
  int signo, error, code, padding;
  uint64_t call_addr;  // behind the instruction
  int nr;
  unsigned arch;
};

}  // namespace

bool HasUserDispatch() { return RawSyscall(SYS_prctl, kSetUserDispatch, kOff, 0, 0, 0) == 0; }

void SetUserDispatchSlot(uintptr_t slot_return) { g_slot_return = slot_return; }

void UseUserDispatch() {
  if (!g_sched.options.user_dispatch) return;
  RawSyscall(SYS_prctl, kSetUserDispatch, kOn, __ehdr_start, etext - __ehdr_start, 0);
}

bool IsUserDispatch(int sig, const SigInfo& info) {
  return sig == SIGSYS && info.Code() == kDispatched;
}

void RedirectCall(const SigInfo& info, void* context) {
  auto& regs = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto& call = reinterpret_cast<const SigsysInfo&>(info);
  if (call.nr == SYS_rt_sigreturn) {
    // Of a handler that began before libgreen did; the frame is where rsp says.
    regs[REG_RIP] = reinterpret_cast<greg_t>(green_sigreturn);
    return;
  }
  // As the slot's own first instructions: over the red zone, the site, a call.
  const uint64_t words[2] = {g_slot_return, call.call_addr};
  const greg_t rsp = regs[REG_RSP] - GREEN_RED_ZONE - static_cast<greg_t>(sizeof words);
  if (CurrentCarrier()->in_green ||
      !green_copy(reinterpret_cast<void*>(rsp), words, sizeof words)) {
    // No stack to go there.
    regs[REG_RAX] = RawSyscall(call.nr, regs[REG_RDI], regs[REG_RSI], regs[REG_RDX], regs[REG_R10],
                               regs[REG_R8], regs[REG_R9]);
    return;
  }
  regs[REG_RSP] = rsp;
  regs[REG_RIP] = reinterpret_cast<greg_t>(green_syscall_entry_flags);
}

}  // namespace green
