// The registers of a task at a patched system call, as entry.S pushes them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/x86_64/layout.h"

namespace green {

struct SyscallFrame {
  uint64_t r15, r14, r13, r12, rbp, rbx;
  uint64_t rdi, rsi, rdx, r10, r8, r9;  // the arguments
  uint64_t rax;                         // the number on entry; the result on the way back
  uint64_t rflags;
  uint64_t slot_return;  // address in the site's slot, right after its call
  uint64_t site;         // where the slot's caller goes on, for unwinders

  uint64_t Arg(int i) const { return (&rdi)[i]; }
  // The program's stack pointer at its system call.
  uint64_t ProgramRsp() const {
    return reinterpret_cast<uint64_t>(this) + GREEN_FRAME_SIZE + GREEN_RED_ZONE;
  }
};

static_assert(offsetof(SyscallFrame, r15) == GREEN_FRAME_R15);
static_assert(offsetof(SyscallFrame, rbp) == GREEN_FRAME_RBP);
static_assert(offsetof(SyscallFrame, rbx) == GREEN_FRAME_RBX);
static_assert(offsetof(SyscallFrame, rdi) == GREEN_FRAME_RDI);
static_assert(offsetof(SyscallFrame, r9) == GREEN_FRAME_R9);
static_assert(GREEN_FRAME_R9 == GREEN_FRAME_RDI + 5 * 8);
static_assert(offsetof(SyscallFrame, rax) == GREEN_FRAME_RAX);
static_assert(offsetof(SyscallFrame, rflags) == GREEN_FRAME_RFLAGS);
static_assert(offsetof(SyscallFrame, slot_return) == GREEN_FRAME_SLOT_RETURN);
static_assert(offsetof(SyscallFrame, site) == GREEN_FRAME_SITE);
static_assert(sizeof(SyscallFrame) == GREEN_FRAME_SIZE);

}  // namespace green
