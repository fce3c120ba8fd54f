#include "sched/stack_overflow.h"

#include "base/message.h"
#include "sched/stack_pool.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr uintptr_t kPage = 4096;
constexpr uintptr_t kNear = 64 << 10;  // a frame, and what its function touches of it first

bool IsNear(uintptr_t a, uintptr_t b) { return (a > b ? a - b : b - a) < kNear; }

bool HasOverflowed(const Task* t, uintptr_t address, uintptr_t sp) {
  if (!t->own_stack_size || !IsNear(address, sp)) return false;
  const uintptr_t base = t->own_stack_base;
  // The kernel lets it grow as it is touched: what cannot be touched there is beyond the limit.
  if (t->tid == static_cast<uint32_t>(g_sched.pid) && !t->stack)
    return base && address + kNear >= base && address < base + t->own_stack_size;
  // One that libc made has its guard within.
  const uintptr_t guard = t->stack ? StackGuardOf(static_cast<StackSlot*>(t->stack)) : kPage;
  return address + guard >= base && address < base + kPage;
}

}  // namespace

bool ReportStackOverflow(const Task* t, uintptr_t address, uintptr_t sp) {
  if (!HasOverflowed(t, address, sp)) return false;
  char name[sizeof t->name + 1] = {};
  for (size_t i = 0; i < sizeof t->name && t->name[i]; ++i)
    name[i] = t->name[i] >= ' ' && t->name[i] != 127 ? t->name[i] : '?';
  (Message() << "thread " << t->tid << " \"" << name << "\" has overflowed its stack of "
             << t->own_stack_size / 1024 << " KiB")
      .Write();
  return true;
}

}  // namespace green
