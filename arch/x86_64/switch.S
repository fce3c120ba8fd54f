// The switch between two stacks; see context.h.
        .text
        .p2align 6
        .globl  green_switch
        .hidden green_switch
        .type   green_switch, @function
green_switch:                           // rdi context to resume, rsi data for it
        .cfi_startproc
        .irp    reg, rbp, rbx, r12, r13, r14, r15
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %ecx
        movzwl  4(%rsp), %r8d
        movq    %rsp, %rax
        movq    %rdi, %rsp              // the same layout on the other stack
        cmpl    (%rsp), %ecx
        jne     2f
        cmpw    4(%rsp), %r8w
        jne     2f
1:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        .irp    reg, r15, r14, r13, r12, rbx, rbp
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        movq    %rsi, %rdx
        ret
        .cfi_adjust_cfa_offset 56
        .cfi_rel_offset r15, 8
        .cfi_rel_offset r14, 16
        .cfi_rel_offset r13, 24
        .cfi_rel_offset r12, 32
        .cfi_rel_offset rbx, 40
        .cfi_rel_offset rbp, 48
2:      ldmxcsr (%rsp)
        fldcw   4(%rsp)
        jmp     1b
        .cfi_endproc
        .size   green_switch, .-green_switch

// First code of a new context: rbx = fn, rax and rdx = Transfer.
        .globl  green_context_entry
        .hidden green_context_entry
        .type   green_context_entry, @function
        .cfi_startproc
        .cfi_undefined rip
        nop                             // unwinders look a return address up by the byte before it
green_context_entry:
        movq    %rax, %rdi
        movq    %rdx, %rsi
        call    *%rbx
        ud2
        .cfi_endproc
        .size   green_context_entry, .-green_context_entry

        .section .note.GNU-stack,"",@progbits
