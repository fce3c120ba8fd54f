// Signal frames as Linux builds them on x86-64 (arch/x86/kernel/signal_64.c, fpu/signal.c): the
// restorer's address, a ucontext, a siginfo; apart, aligned, the vector state the ucontext points
// to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

struct StackBounds {
  uintptr_t base = 0;
  size_t size = 0;
  // As the kernel's on_sig_stack: sp points to what was pushed last.
  bool Holds(uintptr_t sp) const { return sp > base && sp - base <= size; }
};

// Copies the frame that `uc` is part of to below `top` and not below `lowest`. The copy's ucontext,
// or null where there is no room: nothing is written then. Asynchronous-signal-safe.
void* CopySignalFrame(const void* uc, uintptr_t top, uintptr_t lowest);

// Leaves this stack for the frame at `uc`: fn's return is the frame's.
extern "C" [[noreturn]] void green_enter_signal_frame(int sig, void* info, void* uc,
                                                      void (*fn)(int, void*, void*));

// The siginfo of the frame at uc.
void* SignalFrameInfo(void* uc);

// What begins at `at`, with a restorer's address, may be a frame.
bool LooksLikeSignalFrame(uintptr_t at);

}  // namespace green
