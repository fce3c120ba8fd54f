// The stub slots, empty (int3) until the patcher fills them in; slot.h tells their layout.
//
// One FDE serves all of them, as one serves a PLT: its rules are expressions over the pc, so they
// hold for every instruction of every slot.
//   CFA  = rsp, + 128 where the red zone is skipped (offsets 29 to 47 and from 81 on),
//          + 8 where `site` has been pushed (35 to 47 and from 87 on)
//   pc   = saved there, at CFA - 136; elsewhere in the slot's `site` literal
// No other register is touched by a slot itself.
#include "interpose/slot.h"

#if GREEN_SLOT_SIZE != 128 || GREEN_SLOT_PUSH != 29 || GREEN_SLOT_CALL != 35 || \
    GREEN_SLOT_AFTER != 48 || GREEN_SLOT_RAW_PUSH != 81 || GREEN_SLOT_RAW_CALL != 87 || \
    GREEN_SLOT_SITE != 104
#error "the unwind expressions below spell these offsets out"
#endif

        .section .text.green_slots, "ax", @progbits
        .globl  green_slots, green_slots_end
        .hidden green_slots, green_slots_end
        .type   green_slots, @function
        .balign 4096
green_slots:
        .cfi_startproc
        // DWARF operations: off = rip & 127; off >= late | (off >= early & off < 48), in off's place
        #define OFFSET 0x80, 0, 0x08, 127, 0x1a
        #define IS_IN(early, late) \
            0x12, 0x08, late, 0x2a, 0x16, \
            0x12, 0x08, early, 0x2a, 0x16, \
            0x08, GREEN_SLOT_AFTER, 0x2d, 0x1a, 0x21
        // DW_CFA_def_cfa_expression, 48 bytes: rsp + (flag << 7) + (flag << 3)
        .cfi_escape 0x0f, 48, \
            0x77, 0, \
            OFFSET, IS_IN(GREEN_SLOT_PUSH, GREEN_SLOT_RAW_PUSH), 0x37, 0x24, 0x22, \
            OFFSET, IS_IN(GREEN_SLOT_CALL, GREEN_SLOT_RAW_CALL), 0x33, 0x24, 0x22
        // DW_CFA_expression for register 16 (rip), 36 bytes, with the CFA on the stack:
        // flag; bra 1f; (rip & -128) + 104; skip 2f; 1: CFA - 136; 2:
        .cfi_escape 0x10, 16, 36, \
            OFFSET, IS_IN(GREEN_SLOT_CALL, GREEN_SLOT_RAW_CALL), \
            0x28, 10, 0, \
            0x80, 0, 0x09, 0x80, 0x1a, 0x23, GREEN_SLOT_SITE, \
            0x2f, 3, 0, \
            0x08, 136, 0x1c
        .fill   GREEN_SLOT_SIZE * GREEN_SLOT_COUNT, 1, 0xcc
        .cfi_endproc
        .size   green_slots, . - green_slots
green_slots_end:
        .balign 4096, 0xcc

        .section .note.GNU-stack, "", @progbits
