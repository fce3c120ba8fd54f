// A task's alternate signal stack (sigaltstack(2)), as the kernel keeps it per thread. Carriers
// have one each in the kernel, where every signal comes in first (signals.h).
#pragma once

#include <signal.h>

#include "arch/x86_64/signal_frame.h"
#include "sched/task.h"

namespace green {

// Empty when it has none.
inline StackBounds AltstackOf(const Task* t) {
  return {reinterpret_cast<uintptr_t>(t->altstack_base), t->altstack_size};
}
// The program has left the stack that t began on. Where it is then may be a code generator's stack,
// with data beneath the stack pointer: natively handlers on the alternate stack do no harm there.
inline bool HasLeftItsStack(const Task* t, uintptr_t sp) {
  return t->own_stack_size && !StackBounds{t->own_stack_base, t->own_stack_size}.Holds(sp);
}
// The main task's is below the kernel's gift of random bytes, as large as the limit (execve(2)).
void NoteMainStack(Task* main_task);
// What sigaltstack(2) tells of t, and sets: 0, -EPERM, -EINVAL or -ENOMEM. sp: t's stack pointer.
stack_t DescribeAltstack(const Task* t, uintptr_t sp);
long SetAltstack(Task* t, const stack_t& wanted, uintptr_t sp);
// For the handler that is about to run: what t has, which SS_AUTODISARM takes away while it runs.
stack_t SaveAltstack(Task* t);

}  // namespace green
