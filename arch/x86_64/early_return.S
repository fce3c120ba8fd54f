# What early_handlers.h puts for the restorer in a signal frame: where the program's handler returns to, at
# its ucontext. The frame stays, and is the program's once more as soon as rt_sigreturn has been called.
        .macro  saved reg, at
        .cfi_escape 0x10, \reg, 3, 0x77, (\at & 0x7f) | 0x80, \at >> 7  # DW_CFA_expression: rsp + at
        .endm

        .text
        .p2align 4
        .type   green_return_from_early_handler, @function
        .cfi_startproc
        .cfi_signal_frame
        .cfi_escape 0x0f, 4, 0x77, (160 & 0x7f) | 0x80, 160 >> 7, 0x06  # the CFA is what rsp was
        saved   0, 144                  # rax
        saved   1, 136                  # rdx
        saved   2, 152                  # rcx
        saved   3, 128                  # rbx
        saved   4, 112                  # rsi
        saved   5, 104                  # rdi
        saved   6, 120                  # rbp
        saved   7, 160                  # rsp
        saved   8, 40
        saved   9, 48
        saved   10, 56
        saved   11, 64
        saved   12, 72
        saved   13, 80
        saved   14, 88
        saved   15, 96
        saved   16, 168                 # rip
        nop                             # unwinders look before the return address
        .globl  green_return_from_early_handler
        .hidden green_return_from_early_handler
green_return_from_early_handler:
        movq    %rsp, %rdi
        call    green_end_early_handler  # (ucontext)
        movl    $15, %eax
        syscall
        ud2
        .cfi_endproc
        .size   green_return_from_early_handler, .-green_return_from_early_handler

        .section .note.GNU-stack,"",@progbits
