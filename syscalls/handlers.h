// Every handler that syscalls/table.inc names.
#pragma once

#include "syscalls/call.h"

namespace green {

#define GREEN_SYSCALL(nr, name, treatment, handler, note) GREEN_DECLARE_##treatment(handler)
#define GREEN_DECLARE_PASSES(handler)
#define GREEN_DECLARE_PARKS(handler) long handler(SyscallFrame&);
#define GREEN_DECLARE_HANDS_OFF(handler) long handler(SyscallFrame&);
#define GREEN_DECLARE_EMULATED(handler) long handler(SyscallFrame&);
#define GREEN_DECLARE_REFUSED(handler) long handler(SyscallFrame&);
#include "syscalls/table.inc"
#undef GREEN_SYSCALL
#define GREEN_BOUND_SYSCALL(nr, name, handler) long handler(SyscallFrame&);
#define GREEN_BOUND_PLAIN(nr, name, handler, but) long handler(SyscallFrame&);
#define GREEN_BOUND_WAIT(nr, name, handler) long handler(SyscallFrame&);
#include "syscalls/bound.inc"
#undef GREEN_BOUND_SYSCALL
#undef GREEN_BOUND_WAIT
#undef GREEN_BOUND_PLAIN

}  // namespace green
