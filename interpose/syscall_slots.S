// The stub slots, empty (int3) until the patcher fills them in; slot.h tells their layout.
//
// One FDE serves all of them, as one serves a PLT: its rules are expressions over the pc, so they
// hold for every instruction of every slot.
//   CFA  = rsp + 128 where the red zone is skipped (offsets 29 to 41 and from 75 on), else rsp
//   pc   = saved at the slot's `site` literal
// No other register is touched by a slot itself.
#include "interpose/slot.h"

#if GREEN_SLOT_SIZE != 128 || GREEN_SLOT_CALL != 29 || GREEN_SLOT_AFTER != 42 || \
    GREEN_SLOT_RAW_CALL != 75 || GREEN_SLOT_SITE != 104
#error "the unwind expressions below spell these offsets out"
#endif

        .section .text.green_slots, "ax", @progbits
        .globl  green_slots, green_slots_end
        .hidden green_slots, green_slots_end
        .type   green_slots, @function
        .balign 4096
green_slots:
        .cfi_startproc
        // DW_CFA_def_cfa_expression, 25 bytes:
        //   rsp; off = rip & 127; (off >= 75) | (off >= 29 & off < 42); << 7; +
        .cfi_escape 0x0f, 25, \
            0x77, 0, \
            0x80, 0, 0x08, 127, 0x1a, \
            0x12, 0x08, GREEN_SLOT_RAW_CALL, 0x2a, 0x16, \
            0x12, 0x08, GREEN_SLOT_CALL, 0x2a, 0x16, \
            0x08, GREEN_SLOT_AFTER, 0x2d, 0x1a, 0x21, \
            0x37, 0x24, 0x22
        // DW_CFA_expression for register 16 (rip), 7 bytes: saved at (rip & -128) + 104
        .cfi_escape 0x10, 16, 7, 0x80, 0, 0x09, 0x80, 0x1a, 0x23, GREEN_SLOT_SITE
        .fill   GREEN_SLOT_SIZE * GREEN_SLOT_COUNT, 1, 0xcc
        .cfi_endproc
        .size   green_slots, . - green_slots
green_slots_end:
        .balign 4096, 0xcc

        .section .note.GNU-stack, "", @progbits
