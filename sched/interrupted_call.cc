#include "sched/interrupted_call.h"

#include <errno.h>

#include "arch/x86_64/layout.h"

namespace green::signals {

extern "C" const char green_blocking_call[], green_blocking_insn[], green_plain_insn[],
    green_plain_stamped_insn[], green_plain_wait_insn[], green_plain_look[], green_plain_look_end[],
    green_plain_slots[], green_plain_slots_end[];

namespace {
bool IsInPlainSlots(const char* pc) {
  return pc >= green_plain_slots && pc < green_plain_slots_end;
}

// At the system call instruction of a plain slot (arch/x86_64/plain_slots.S).
bool IsAtPlainCall(const char* pc) { return IsInPlainSlots(pc) && pc[0] == 0x0f && pc[1] == 0x05; }

// At one that a handler may have restarted.
bool IsAtTransfer(const char* pc) {
  return pc == green_plain_insn || pc == green_plain_stamped_insn || IsAtPlainCall(pc);
}
}  // namespace

uintptr_t FixupInPlainCall(uintptr_t pc) {
  if (pc == reinterpret_cast<uintptr_t>(green_plain_look))
    return reinterpret_cast<uintptr_t>(green_plain_look_end);
  if (!IsInPlainSlots(reinterpret_cast<const char*>(pc))) return 0;
  const uintptr_t slot = pc & ~uintptr_t{GREEN_PLAIN_SLOT_SIZE - 1}, at = pc - slot;
  const uintptr_t called = *reinterpret_cast<const uint16_t*>(slot + GREEN_PLAIN_SLOT_CALLED);
  const uintptr_t behind = *reinterpret_cast<const uint16_t*>(slot + GREEN_PLAIN_SLOT_BEHIND);
  const bool own_code = (at >= called && at < behind) ||
                        (at >= behind + GREEN_PLAIN_SLOT_BEHIND_MAX && at < GREEN_PLAIN_SLOT_END);
  return own_code ? slot + GREEN_PLAIN_SLOT_END : 0;
}

void CancelRestart(const Task* t, Delivered what, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto pc = reinterpret_cast<const char*>(regs[REG_RIP]);
  const char* insn = IsAtTransfer(pc) ? pc : green_blocking_insn;
  if (t->interruptible || t->held_by_call ? pc > insn || pc < green_blocking_call
                                          : pc != insn || what != Delivered::kNoRestart)
    return;
  regs[REG_RIP] = reinterpret_cast<greg_t>(insn) + 2;
  regs[REG_RAX] = -EINTR;
}

void NoteInterruption(Task* t, Delivered what, const ucontext_t* uc) {
  const auto& regs = uc->uc_mcontext.gregs;
  const auto insn = reinterpret_cast<const char*>(regs[REG_RIP]) - 2;
  const bool wait = insn == green_plain_wait_insn;
  if (regs[REG_RAX] != -EINTR || (insn != green_blocking_insn && !wait && !IsAtTransfer(insn)))
    return;
  const bool first = t->interrupted == Interrupted::kNot, by_any = wait || t->interruptible;
  if (what == Delivered::kNoRestart || (what == Delivered::kRestart && (first || by_any)))
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
