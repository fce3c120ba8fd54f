// The calls of syscalls/plain.inc, as green tasks make them: here, if only the kernel need see them, as
// if they had not been patched, and outside libgreen throughout. Slots call these entries as they do
// green_syscall_entry, which takes the rest.
//
// Each word of the carrier is read or written by one instruction, as a signal's handler may move the
// task between any two. A signal that finds rip at a syscall instruction of these came before the
// call or made the kernel restart it, as at green_blocking_insn.
//
// Each entry goes straight on in the usual case and keeps to few cache lines: behind a call like
// openat the kernel has left little in the near cache, where each further line costs some 5 ns.
#include "arch/x86_64/layout.h"
#include "arch/x86_64/return.inc"

        .text

        .macro  begin name
        .p2align 6
        .globl  green_plain_\name
        .hidden green_plain_\name
        .type   green_plain_\name, @function
green_plain_\name:
        .cfi_startproc
        cmpw    $0, %gs:GREEN_CARRIER_NATIVE  // or bound
        jne     green_syscall_entry
        .endm

// rcx = the FdState of the number in \fd, with r11 lost, or to \none.
        .macro  fd_state where, fd, none
        movl    %\fd, %ecx
        leaq    green_first_fds(%rip), %r11
        cmpl    $1 << GREEN_FD_CHUNK_BITS, %ecx
        jae     .Lfar_\where
        shll    $GREEN_FD_SIZE_BITS, %ecx
        addq    %r11, %rcx
.Lnear_\where:
        .endm

// Its rest, for numbers that are not in the first chunk.
        .macro  fd_state_far where, fd, none
.Lfar_\where:
        cmpl    $GREEN_FD_COUNT, %ecx
        jae     \none
        shrl    $GREEN_FD_CHUNK_BITS, %ecx
        leaq    green_fd_chunks(%rip), %r11
        movq    (%r11,%rcx,8), %r11
        testq   %r11, %r11
        jz      \none
        movl    %\fd, %ecx
        andl    $(1 << GREEN_FD_CHUNK_BITS) - 1, %ecx
        shll    $GREEN_FD_SIZE_BITS, %ecx
        addq    %r11, %rcx
        jmp     .Lnear_\where
        .endm

// Not while the task blocks one of the signals `but`.
        .macro  call_kernel name, but=0
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        .if \but
        testl   $\but, GREEN_TASK_MASK(%rcx)
        jne     green_syscall_entry
        .endif
        cmpw    $0, GREEN_TASK_NEW_CODE_LOOKS(%rcx)
        jne     green_syscall_entry
        cmpl    $GREEN_MONITOR_SLEEPS, g_monitor+GREEN_MONITOR_RESTING(%rip)
        je      green_syscall_entry     // which wakes it
        movq    $0, GREEN_TASK_FRAME(%rcx)
        movl    g_monitor+GREEN_MONITOR_MS(%rip), %r11d
        movl    %r11d, GREEN_TASK_SINCE(%rcx)
        movw    $0, GREEN_TASK_HANDLED(%rcx)
        incl    %gs:GREEN_CARRIER_CALL_NUMBER
        movb    $1, %gs:GREEN_CARRIER_IN_SYSCALL
        syscall
        movb    $0, %gs:GREEN_CARRIER_IN_SYSCALL
        // Retake, attention or a kick; native in a child that a handler forked.
        cmpq    $0, %gs:GREEN_CARRIER_NATIVE
        jne     .Lend_\name
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        movl    g_monitor+GREEN_MONITOR_MS(%rip), %r11d
        cmpl    %r11d, GREEN_TASK_SINCE(%rcx)
        jne     .Lend_\name             // it took milliseconds
        .endm

        .macro  finish name, nr
        return_behind_call
.Lend_\name:
        movq    %rax, %rcx
        movl    $\nr, %eax
        jmp     green_plain_entry_end
        .endm

        .macro  end name
        .cfi_endproc
        .size   green_plain_\name, .-green_plain_\name
        .endm

// At the file's position. A tty asks for the signals (tty_signals.h).
        .macro  transfer name, nr
        begin   \name
        fd_state \name, edi
        testl   $GREEN_FD_PLAIN, GREEN_FD_FLAGS(%rcx)
        jz      green_syscall_entry
        call_kernel \name, GREEN_TTY_SIGNALS
        cmpq    $-4, %rax               // EINTR
        je      .Lend_\name
        finish  \name, \nr
        fd_state_far \name, edi, green_syscall_entry
        end     \name
        .endm

        .macro  transfer_at name, nr
        begin   \name
        call_kernel \name
        cmpq    $-4, %rax
        je      .Lend_\name
        finish  \name, \nr
        end     \name
        .endm

        transfer read, 0
        transfer write, 1
        transfer_at pread64, 17
        transfer_at pwrite64, 18

// What is known of the number is forgotten before, as it may be another file's right after.
        begin   close
        fd_state close, edi
        testl   $GREEN_FD_PLAIN, GREEN_FD_FLAGS(%rcx)
        jz      green_syscall_entry
        cmpb    $0, GREEN_FD_REGISTERED(%rcx)
        jne     green_syscall_entry
        movl    $0, GREEN_FD_FLAGS(%rcx)
        call_kernel close
        testq   %rax, %rax
        jne     .Lfailed_close
        // Looked at, or waited for, by a task between the test and the call?
        fd_state closed, edi
        cmpq    $0, (%rcx)              // GREEN_FD_REGISTERED, GREEN_FD_FLAGS
        jne     .Lend_close
.Lleave_close:
        finish  close, 3
.Lfailed_close:
        cmpq    $-4, %rax
        je      .Lend_close
        jmp     .Lleave_close
        fd_state_far close, edi, green_syscall_entry
        fd_state_far closed, edi, .Lend_close
        end     close

// A new file. Terminals are mostly opened for reading and writing.
        begin   openat
        call_kernel openat
        testq   %rax, %rax
        js      .Lend_openat
        movl    %edx, %ecx
        andl    $3, %ecx                // O_ACCMODE
        cmpl    $2, %ecx
        je      .Lend_openat
        fd_state opened, eax
        cmpq    $0, (%rcx)              // else its last close went past libgreen
        jne     .Lend_openat
        movl    $GREEN_FD_OPENED, GREEN_FD_FLAGS(%rcx)
        finish  openat, 257
        fd_state_far opened, eax, .Lend_openat
        end     openat

        .globl  green_plain_calls_end
        .hidden green_plain_calls_end
green_plain_calls_end:

        .section .note.GNU-stack,"",@progbits
