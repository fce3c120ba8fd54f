// bool functions of user_memory.h: no stack use between begin and end, so that a fault anywhere
// in between can resume at green_user_fault with the return address on top.
        .text
        .globl green_user_begin, green_user_end, green_user_fault
        .hidden green_user_begin, green_user_end, green_user_fault
        .globl green_copy, green_load32, green_load64, green_store64, green_cas32
        .hidden green_copy, green_load32, green_load64, green_store64, green_cas32

green_user_begin:
        .type green_copy, @function
green_copy:                             // rdi dst, rsi src, rdx bytes
        .cfi_startproc
        cmpq    $64, %rdx
        ja      3f
1:      cmpq    $8, %rdx
        jb      2f
        movq    (%rsi), %rax
        movq    %rax, (%rdi)
        addq    $8, %rsi
        addq    $8, %rdi
        subq    $8, %rdx
        jmp     1b
2:      testq   %rdx, %rdx
        jz      4f
        movb    (%rsi), %al
        movb    %al, (%rdi)
        incq    %rsi
        incq    %rdi
        decq    %rdx
        jmp     2b
3:      movq    %rdx, %rcx
        rep movsb
4:      movl    $1, %eax
        ret
        .cfi_endproc
        .size green_copy, .-green_copy

        .type green_load32, @function
green_load32:                           // rdi user address, rsi out
        .cfi_startproc
        movl    (%rdi), %eax
        movl    %eax, (%rsi)
        movl    $1, %eax
        ret
        .cfi_endproc
        .size green_load32, .-green_load32

        .type green_load64, @function
green_load64:                           // rdi user address, rsi out
        .cfi_startproc
        movq    (%rdi), %rax
        movq    %rax, (%rsi)
        movl    $1, %eax
        ret
        .cfi_endproc
        .size green_load64, .-green_load64

        .type green_store64, @function
green_store64:                          // rdi user address, rsi value
        .cfi_startproc
        movq    %rsi, (%rdi)
        movl    $1, %eax
        ret
        .cfi_endproc
        .size green_store64, .-green_store64

        .type green_cas32, @function
green_cas32:                            // rdi user address, rsi expected, edx desired, rcx done
        .cfi_startproc
        movl    (%rsi), %eax
        lock cmpxchgl %edx, (%rdi)
        sete    (%rcx)
        movl    %eax, (%rsi)
        movl    $1, %eax
        ret
        .cfi_endproc
        .size green_cas32, .-green_cas32
green_user_end:

        .type green_user_fault, @function
green_user_fault:
        .cfi_startproc
        xorl    %eax, %eax
        ret
        .cfi_endproc
        .size green_user_fault, .-green_user_fault

        .section .note.GNU-stack,"",@progbits
