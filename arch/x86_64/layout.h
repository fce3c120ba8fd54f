// Offsets shared by entry.S and C++; each is asserted where the C++ type is defined.
#pragma once

// Carrier, reached through GS base.
#define GREEN_CARRIER_SELF 0
#define GREEN_CARRIER_IN_GREEN 8
#define GREEN_CARRIER_BOUND 9
#define GREEN_CARRIER_NATIVE 10
#define GREEN_CARRIER_RETAKE 11
#define GREEN_CARRIER_ATTENTION 12
#define GREEN_CARRIER_TASK 16
#define GREEN_CARRIER_WORKER 24
#define GREEN_CARRIER_CALL_NUMBER 32
#define GREEN_CARRIER_IN_SYSCALL 36

// Task, as a plain call needs it.
#define GREEN_TASK_FRAME 32
#define GREEN_TASK_MASK 40
#define GREEN_TASK_SINCE 48
#define GREEN_TASK_HANDLED 58
#define GREEN_TASK_INTERRUPTED 59
#define GREEN_TASK_NEW_CODE_LOOKS 62
#define GREEN_TASK_PENDING 160
#define GREEN_PLAIN_CALLS 512   // numbers in green_plain_calls (syscalls/dispatch.cc)
#define GREEN_PLAIN_WAIT 2      // there: any handler ends it
#define GREEN_PLAIN_STAMPED 4   // and: it is to be known when it began
#define GREEN_FUTEXES_NATIVE 1  // in green_futex_places (sched/futex_table.h)

#define GREEN_FOR_OTHERS 1  // Interrupted::kForOthers
#define GREEN_NO_RESTART 2  // Delivered::kNoRestart

#define GREEN_MSGHDR_CONTROLLEN 40

#define GREEN_TTY_SIGNALS (1 << 20 | 1 << 21)  // SIGTTIN, SIGTTOU

#define GREEN_MONITOR_RESTING 0
#define GREEN_MONITOR_MS 4
#define GREEN_MONITOR_SLEEPS 1  // in GREEN_MONITOR_RESTING

// FdState, and the table of chunks of them.
#define GREEN_FD_COUNT (1 << 20)
#define GREEN_FD_CHUNK_BITS 9
#define GREEN_FD_SIZE_BITS 7
#define GREEN_FD_REGISTERED 1
#define GREEN_FD_FLAGS 4
#define GREEN_FD_OPENED (1 << 19)
#define GREEN_FD_PLAIN (8 | GREEN_FD_OPENED)  // or regular
#define GREEN_FD_THREADS (1 << 21)

// linux_dirent64 (getdents64(2)).
#define GREEN_DIRENT_SIZE 16
#define GREEN_DIRENT_NAME 19

// SyscallFrame, on the task's stack. The order is that of the pushes in entry.S.
#define GREEN_FRAME_R15 0
#define GREEN_FRAME_R14 8
#define GREEN_FRAME_R13 16
#define GREEN_FRAME_R12 24
#define GREEN_FRAME_RBP 32
#define GREEN_FRAME_RBX 40
#define GREEN_FRAME_RDI 48  // the six arguments, in their order
#define GREEN_FRAME_R9 88
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

// Slot of a site of a plain call (plain_slots.S; interpose/plain_slot.h).
#define GREEN_PLAIN_SLOT_BITS 9
#define GREEN_PLAIN_SLOT_SIZE (1 << GREEN_PLAIN_SLOT_BITS)
#define GREEN_PLAIN_SLOT_SITE 8
#define GREEN_PLAIN_SLOT_ORDINARY_CALL 16
#define GREEN_PLAIN_SLOT_ORDINARY_RETURN 24
#define GREEN_PLAIN_SLOT_CALLED 36
#define GREEN_PLAIN_SLOT_BEHIND 38
#define GREEN_PLAIN_SLOT_CODE 64
#define GREEN_PLAIN_SLOT_BEHIND_MAX 29
#define GREEN_PLAIN_SLOT_END 480
