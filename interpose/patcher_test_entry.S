// A green_syscall_entry for tests: tells the test about the call, then makes it.
#include "interpose/slot.h"

        .text
        .globl  green_syscall_entry, green_syscall_entry_flags
        .hidden green_syscall_entry, green_syscall_entry_flags
        // None: they need libgreen's thread structure.
        .globl  green_plain_slots, green_plain_slots_end
        .hidden green_plain_slots, green_plain_slots_end
green_plain_slots:
green_plain_slots_end:
        .type   green_syscall_entry, @function
green_syscall_entry:
green_syscall_entry_flags:
        .cfi_startproc
        pushfq
        .cfi_adjust_cfa_offset 8
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        pushq   %rax
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %r10
        pushq   %r8
        pushq   %r9
        subq    $1024, %rsp
        andq    $-64, %rsp
        fxsave64 (%rsp)
        movq    16(%rbp), %rdi
        andq    $-GREEN_SLOT_SIZE, %rdi
        movl    %eax, %esi
        call    green_test_on_syscall
        fxrstor64 (%rsp)
        leaq    -56(%rbp), %rsp
        popq    %r9
        popq    %r8
        popq    %r10
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rax
        popq    %rbp
        .cfi_def_cfa rsp, 16
        .cfi_restore rbp
        cmpl    $56, %eax               // clone, fork, vfork, clone3
        je      1f
        cmpl    $57, %eax
        je      1f
        cmpl    $58, %eax
        je      1f
        cmpl    $435, %eax
        je      1f
        syscall
        popfq
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_adjust_cfa_offset 8
1:      popfq
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, r11
        leaq    136(%rsp), %rsp
        leaq    GREEN_SLOT_RAW_TAIL - GREEN_SLOT_RETURN(%r11), %r11
        jmp     *%r11
        .cfi_endproc
        .size   green_syscall_entry, . - green_syscall_entry

        .globl  green_syscall_after_raw
        .hidden green_syscall_after_raw
        .type   green_syscall_after_raw, @function
green_syscall_after_raw:
        .cfi_startproc
        pushfq
        .cfi_adjust_cfa_offset 8
        lock incl green_test_raw_calls(%rip)
        popfq
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   green_syscall_after_raw, . - green_syscall_after_raw

        .section .note.GNU-stack, "", @progbits
