#include "sched/interrupted_call.h"

#include <errno.h>

#include "arch/x86_64/layout.h"

namespace green::signals {

extern "C" const char green_blocking_call[], green_blocking_insn[], green_plain_insn[],
    green_plain_stamped_insn[], green_plain_wait_insn[], green_plain_look[], green_plain_look_end[],
    green_plain_cut[], green_plain_stamped_cut[], green_plain_slots[], green_plain_slots_end[];

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
// Where a plain call goes on that has perhaps been cut short; null: elsewhere than behind one.
const char* CutBehind(const char* insn) {
  if (insn == green_plain_insn) return green_plain_cut;
  if (insn == green_plain_stamped_insn) return green_plain_stamped_cut;
  if (!IsInPlainSlots(insn)) return nullptr;
  const auto at = reinterpret_cast<uintptr_t>(insn);
  return insn + ((at & ~uintptr_t{GREEN_PLAIN_SLOT_SIZE - 1}) + GREEN_PLAIN_SLOT_END - at);
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

void NoteInterruption(Task* t, Delivered what, ucontext_t* uc) {
  auto& regs = uc->uc_mcontext.gregs;
  const auto insn = reinterpret_cast<const char*>(regs[REG_RIP]) - 2;
  const bool wait = insn == green_plain_wait_insn;
  const bool part = regs[REG_RAX] > 0 && !wait;
  if ((regs[REG_RAX] != -EINTR && !part) ||
      (insn != green_blocking_insn && !wait && !IsAtTransfer(insn)))
    return;
  const bool first = t->interrupted == Interrupted::kNot, by_any = wait || part || t->interruptible;
  if (what == Delivered::kNoRestart || (what == Delivered::kRestart && (first || by_any)))
    t->interrupted = Interrupted::kForTask;
  else if (first)
    t->interrupted = Interrupted::kForOthers;
  if (!part || t->interrupted != Interrupted::kForOthers) return;
  if (const char* cut = CutBehind(insn)) regs[REG_RIP] = reinterpret_cast<greg_t>(cut);
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
