#include "sched/interrupted_call.h"

#include <errno.h>

namespace green::signals {

extern "C" const char green_blocking_call[], green_blocking_insn[], green_plain_insn[],
    green_plain_read[], green_plain_calls_end[];

namespace {
// At the system call instruction of a plain entry (arch/x86_64/plain_entry.S).
bool IsAtPlainCall(const char* pc) {
  return pc >= green_plain_read && pc < green_plain_calls_end && pc[0] == 0x0f && pc[1] == 0x05;
}
}  // namespace

void CancelRestart(const Task* t, Delivered what, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto pc = reinterpret_cast<const char*>(regs[REG_RIP]);
  const char* insn = pc == green_plain_insn || IsAtPlainCall(pc) ? pc : green_blocking_insn;
  if (t->interruptible ? pc > insn || pc < green_blocking_call
                       : pc != insn || what != Delivered::kNoRestart)
    return;
  regs[REG_RIP] = reinterpret_cast<greg_t>(insn) + 2;
  regs[REG_RAX] = -EINTR;
}

void NoteInterruption(Task* t, Delivered what, const ucontext_t* uc) {
  const auto& regs = uc->uc_mcontext.gregs;
  const auto insn = reinterpret_cast<const char*>(regs[REG_RIP]) - 2;
  if (regs[REG_RAX] != -EINTR ||
      (insn != green_blocking_insn && insn != green_plain_insn && !IsAtPlainCall(insn)))
    return;
  const bool first = t->interrupted == Interrupted::kNot;
  if (what == Delivered::kNoRestart || (what == Delivered::kRestart && (first || t->interruptible)))
    t->interrupted = Interrupted::kForTask;
  else if (first)
    t->interrupted = Interrupted::kForOthers;
}

void EndCallForTurn(Task* t, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto pc = reinterpret_cast<const char*>(regs[REG_RIP]);
  if (pc != green_blocking_insn && !IsAtPlainCall(pc)) return;
  regs[REG_RIP] += 2;
  regs[REG_RAX] = -EINTR;
  t->interrupted = Interrupted::kForOthers;
}

}  // namespace green::signals
