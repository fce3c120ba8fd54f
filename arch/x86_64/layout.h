// Offsets shared by entry.S and C++; each is asserted where the C++ type is defined.
#pragma once

// Carrier, reached through GS base.
#define GREEN_CARRIER_SELF 0
#define GREEN_CARRIER_NATIVE 8
#define GREEN_CARRIER_BOUND 9
#define GREEN_CARRIER_IN_GREEN 10
#define GREEN_CARRIER_RETAKE 11
#define GREEN_CARRIER_ATTENTION 12
#define GREEN_CARRIER_TASK 16
#define GREEN_CARRIER_WORKER 24

// Task, as a plain call of a bound one needs it.
#define GREEN_TASK_FRAME 40
#define GREEN_TASK_HANDLED 58
#define GREEN_TASK_STRAY 59
#define GREEN_TASK_NEW_CODE_LOOKS 62
#define GREEN_TASK_PENDING 152
#define GREEN_TASK_MASK 160
#define GREEN_PLAIN_CALLS 512  // numbers in green_plain_calls (syscalls/dispatch.cc)
#define GREEN_FUTEXES_NATIVE 1  // in green_futex_places (sched/futex_table.h)

// SyscallFrame, on the task's stack. The order is that of the pushes in entry.S.
#define GREEN_FRAME_R15 0
#define GREEN_FRAME_R14 8
#define GREEN_FRAME_R13 16
#define GREEN_FRAME_R12 24
#define GREEN_FRAME_RBP 32
#define GREEN_FRAME_RBX 40
#define GREEN_FRAME_R10 48
#define GREEN_FRAME_R9 56
#define GREEN_FRAME_R8 64
#define GREEN_FRAME_RDI 72
#define GREEN_FRAME_RSI 80
#define GREEN_FRAME_RDX 88
#define GREEN_FRAME_RAX 96
#define GREEN_FRAME_RFLAGS 104
#define GREEN_FRAME_SLOT_RETURN 112
#define GREEN_FRAME_SITE 120
#define GREEN_FRAME_SIZE 128
#define GREEN_RED_ZONE 128
#define GREEN_FLAGS_DEFAULT 0x202  // interrupts, and the bit that is always set

// Slot of a patched site (interpose/syscall_slots.S lays it out; the slot of a return address is
// found by masking).
#define GREEN_SLOT_MASK 127
#define GREEN_SLOT_RAW_TAIL 74
#define GREEN_SLOT_FLAGS 116
#define GREEN_SLOT_SSE_LIVE 2
#define GREEN_SLOT_NOT_LIBC 4
