// The switch between two stacks.
//
// Boost.Context's jump_fcontext did this first. It is entered by a call and left by an indirect
// jump, which puts the CPU's return predictor off by one: every return on the way back to the
// program was mispredicted, eight to ten of them a switch, and reloading MXCSR and the x87 control
// word cost as much as the rest. green_switch is entered by call and left by ret, so that two
// tasks that parked on the same path return as predicted, and it reloads the control words only
// when they differ. docs/design.md has the figures.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

using Context = void*;  // the stack pointer of one that is not running

struct Transfer {
  Context from;  // where the context that switched here can be resumed
  void* data;
};

// What green_switch leaves on the stack it left; offsets in switch.S.
struct SavedContext {
  uint32_t mxcsr;
  uint16_t x87_control;
  uint16_t unused;
  uint64_t r15, r14, r13, r12, rbx, rbp;
  uint64_t rip;
};
static_assert(sizeof(SavedContext) == 64);

extern "C" {
Transfer green_switch(Context to, void* data);
void green_context_entry();
}

// A context that, when switched to, calls fn(Transfer) on the stack below stack_top. The floating
// point control words are the creator's, as clone(2) has it.
inline Context MakeContext(void* stack_top, void (*fn)(Transfer)) {
  auto top = reinterpret_cast<uintptr_t>(stack_top) & ~uintptr_t{15};
  auto saved = reinterpret_cast<SavedContext*>(top - sizeof(SavedContext));
  saved->unused = 0;
  saved->r15 = saved->r14 = saved->r13 = saved->r12 = saved->rbp = 0;
  saved->rbx = reinterpret_cast<uint64_t>(fn);
  saved->rip = reinterpret_cast<uint64_t>(green_context_entry);
  asm volatile("stmxcsr %0\n fnstcw %1" : "=m"(saved->mxcsr), "=m"(saved->x87_control));
  return saved;
}

}  // namespace green
