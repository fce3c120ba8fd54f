// The door between a patched system call and the runtime. A site's slot (interpose/slot.h) has
// moved rsp below the red zone and calls green_syscall_entry; every register but rax, rcx, r11
// comes back as it was, as from the kernel. All registers lie in a SyscallFrame meanwhile, so
// that a new thread can start from a copy of it and debuggers find callee-saved ones by CFI.
#include "arch/x86_64/layout.h"
#include "arch/x86_64/return.inc"

        .text

// The flags are saved where someone reads them afterwards: pushfq and popfq take as long as ten
// other instructions.
        .macro  push_frame flags_live=1
        .if \flags_live
        pushfq
        .else
        pushq   $GREEN_FLAGS_DEFAULT
        .endif
        .cfi_adjust_cfa_offset 8
        .irp    reg, rax, r9, r8, r10, rdx, rsi, rdi
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .endr
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        pushq   %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        .endm

        .macro  pop_frame_registers
        .irp    reg, r15, r14, r13, r12, rbp, rbx
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        .irp    reg, rdi, rsi, rdx, r10, r8, r9, rax
        popq    %\reg
        .cfi_adjust_cfa_offset -8
        .endr
        .endm

// For code that begins with rsp at a frame, which lies `size` below the caller's.
        .macro  cfi_in_frame size
        .cfi_def_cfa rsp, \size
        .cfi_rel_offset r15, GREEN_FRAME_R15
        .cfi_rel_offset r14, GREEN_FRAME_R14
        .cfi_rel_offset r13, GREEN_FRAME_R13
        .cfi_rel_offset r12, GREEN_FRAME_R12
        .cfi_rel_offset rbp, GREEN_FRAME_RBP
        .cfi_rel_offset rbx, GREEN_FRAME_RBX
        .endm

// Calls fn(SyscallFrame*) on an aligned stack; rax is its value, rsp is at the frame again.
        .macro  call_with_frame fn
        movq    %rsp, %rdi
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        andq    $-16, %rsp
        call    \fn
        movq    %rbp, %rsp
        .cfi_def_cfa_register rsp
        .endm

        .macro  pop_frame flags_live
        pop_frame_registers
        .if \flags_live
        popfq
        .else
        leaq    8(%rsp), %rsp
        .endif
        .cfi_adjust_cfa_offset -8
        .endm

        .macro  syscall_entry name, flags_live
        .p2align 6
        .globl  \name
        .hidden \name
        .type   \name, @function
\name:
        .cfi_startproc
        .if \flags_live
        push_frame 1
        cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     .Lnative
        .else
        cmpw    $0, %gs:GREEN_CARRIER_BOUND  // or native
        jne     .Lnative_or_bound
.Lto_dispatch:
        push_frame 0
        .endif
        call_with_frame green_dispatch
        testl   %eax, %eax
        jne     .Lraw
        pop_frame \flags_live
        ret
        .cfi_endproc
        .size   \name, .-\name
        .endm

        syscall_entry green_syscall_entry, 0
        syscall_entry green_syscall_entry_flags, 1

// Behind a plain call (plain_slots.S), for what is left to do in C++: eax = its number, rcx = its
// result. The frame is the call's: it may have to be made once more.
        .globl  green_plain_entry_end
        .hidden green_plain_entry_end
        .type   green_plain_entry_end, @function
green_plain_entry_end:
        .cfi_startproc
        push_frame 0
        movq    %rcx, %rsi
        call_with_frame green_end_plain
        testl   %eax, %eax
        jne     .Lraw
        pop_frame 0
        ret
        .cfi_endproc
        .size   green_plain_entry_end, .-green_plain_entry_end

// Room for the time when a plain call began, 0 so far, and below it the call's number; rcx: the task.
        .macro  begin_stamped
        movq    $0, GREEN_TASK_FRAME(%rcx)
        pushq   $0                      // when it began
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        .endm

// The kernel's answer stays.
        .macro  end_stamped
        leaq    16(%rsp), %rsp
        .cfi_remember_state
        .cfi_adjust_cfa_offset -16
        return_behind_call
        .cfi_restore_state
        .endm

// With a plain call's number at (%rsp), and rax too, and room for the time above it; r11 is lost.
        .macro  stamp
        movq    %rdx, %r11
        rdtsc
        shlq    $32, %rdx
        orq     %rax, %rdx
        movq    %rdx, 8(%rsp)
        movq    %r11, %rdx
        movq    (%rsp), %rax
        .endm

// fn(SyscallFrame*, when it began, \result) behind such a call.
        .macro  once_more fn, result
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        push_frame 0
        movq    %rcx, %rsi
        .ifnb \result
        movq    \result, %rdx
        .endif
        call_with_frame \fn
        testl   %eax, %eax
        jne     .Lraw
        pop_frame 0
        ret
        .endm

// A bound task's call that only the kernel need see: made right here, as if it had not been patched,
// outside libgreen throughout. A signal that finds rip at green_plain_insn came before the call or
// made the kernel restart it, as at green_blocking_insn.
        .globl  green_plain_insn, green_plain_stamped_insn, green_plain_wait_insn
        .hidden green_plain_insn, green_plain_stamped_insn, green_plain_wait_insn
        .globl  green_plain_cut, green_plain_stamped_cut
        .hidden green_plain_cut, green_plain_stamped_cut
        .globl  green_plain_look, green_plain_look_end
        .hidden green_plain_look, green_plain_look_end
        .type   green_plain_call, @function
green_plain_call:
        .cfi_startproc
.Lnative_or_bound:
        cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     .Lto_native
        cmpq    $GREEN_PLAIN_CALLS, %rax
        jae     .Lto_dispatch
        leaq    green_plain_calls(%rip), %rcx
        movl    (%rcx,%rax,4), %r11d
        testl   %r11d, %r11d
        je      .Lnot_plain
        testb   $GREEN_PLAIN_WAIT | GREEN_PLAIN_STAMPED, %r11b
        jne     .Lwait_or_stamped
.Lplain:
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        // Signals that the kernel would have to see as blocked (tty_signals.h).
        andl    $~1, %r11d
        testl   %r11d, GREEN_TASK_MASK(%rcx)
        jne     .Lto_dispatch
        cmpw    $0, GREEN_TASK_NEW_CODE_LOOKS(%rcx)
        jne     .Lto_dispatch
        // Its own blocked signals: it may read a signalfd.
        cmpq    $0, GREEN_TASK_PENDING(%rcx)
        jne     .Lto_dispatch
        movq    $0, GREEN_TASK_FRAME(%rcx)
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        movw    $0, GREEN_TASK_HANDLED(%rcx)
green_plain_insn:
        syscall
        cmpq    $-4, %rax               // EINTR
        je      3f
2:      popq    %rcx                    // the number
        .cfi_adjust_cfa_offset -8
        return_behind_call
        .cfi_adjust_cfa_offset 8
// Interrupted on another task's behalf: the program is not to know. Native: in a
// child that a handler forked.
3:      cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     2b
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        cmpb    $GREEN_FOR_OTHERS, GREEN_TASK_INTERRUPTED(%rcx)
        jne     2b
        // A handler may have run since, too.
        cmpb    $GREEN_NO_RESTART, GREEN_TASK_HANDLED(%rcx)
        je      2b
        popq    %rax
        .cfi_adjust_cfa_offset -8
        jmp     .Lto_dispatch
        .cfi_endproc
        .cfi_startproc
        .cfi_adjust_cfa_offset 8
// In place of what stands behind the instruction, where a signal for others came with a result that may
// be a part of what was asked for.
green_plain_cut:
        movq    %rax, %rcx
        popq    %rax
        .cfi_adjust_cfa_offset -8
        jmp     green_plain_entry_end
        .cfi_endproc
        .cfi_startproc
// A futex call is plain too while every task is bound (sched/futex_table.h): waits, but not those for
// a length of time, and wakes. So is a message that cannot carry descriptors (bound_socket.cc).
.Lnot_plain:
        cmpl    $202, %eax              // futex
        jne     5f
        testb   $GREEN_FUTEXES_NATIVE, green_futex_places(%rip)
        je      .Lto_dispatch
        movl    %esi, %ecx
        andl    $~(128 | 256), %ecx     // FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME
        je      4f
        cmpl    $10, %ecx
        ja      .Lto_dispatch
        movl    $1 << 1 | 1 << 9 | 1 << 10, %r11d  // WAKE, WAIT_BITSET, WAKE_BITSET
        btl     %ecx, %r11d
        jnc     .Lto_dispatch
        xorl    %r11d, %r11d
        jmp     .Lplain
4:      testq   %r10, %r10              // FUTEX_WAIT; r11 is 0
        jne     .Lto_dispatch
        jmp     .Lplain
5:      cmpl    $46, %eax               // sendmsg
        jne     .Lto_dispatch
        movl    green_plain_calls+4*44(%rip), %r11d  // as sendto
green_plain_look:
        cmpq    $0, GREEN_MSGHDR_CONTROLLEN(%rsi)
        je      6f
green_plain_look_end:                   // a fault goes on here
        jmp     .Lto_dispatch
6:      testb   $GREEN_PLAIN_STAMPED, %r11b
        je      .Lplain
        jmp     .Lstamped
.Lto_native:
        push_frame 1
        jmp     .Lnative
        .cfi_endproc
        .cfi_startproc
.Lwait_or_stamped:
        testb   $GREEN_PLAIN_STAMPED, %r11b
        je      .Lwait
// As .Lplain; made again, it gets what is left of the socket's time-out (bound_socket.cc).
.Lstamped:
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        andl    $~(1 | GREEN_PLAIN_STAMPED), %r11d
        testl   %r11d, GREEN_TASK_MASK(%rcx)
        jne     .Lto_dispatch
        cmpw    $0, GREEN_TASK_NEW_CODE_LOOKS(%rcx)
        jne     .Lto_dispatch
        cmpq    $0, GREEN_TASK_PENDING(%rcx)
        jne     .Lto_dispatch
        begin_stamped
        stamp
        movw    $0, GREEN_TASK_HANDLED(%rcx)
green_plain_stamped_insn:
        syscall
        cmpq    $-4, %rax               // EINTR
        je      3f
2:      end_stamped
3:      cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     2b
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        cmpb    $GREEN_FOR_OTHERS, GREEN_TASK_INTERRUPTED(%rcx)
        jne     2b
        cmpb    $GREEN_NO_RESTART, GREEN_TASK_HANDLED(%rcx)
        je      2b
        once_more green_transfer_again
        .cfi_endproc
        .cfi_startproc
        .cfi_adjust_cfa_offset 16
// As green_plain_cut.
green_plain_stamped_cut:
        movq    %rax, %r11
        once_more green_rest_of_transfer %r11
        .cfi_endproc
        .cfi_startproc
// A wait that any handler ends, with SA_RESTART too. With a mask of its own it is not plain.
.Lwait:
        cmpl    $7, %eax                // poll
        jne     4f
        movl    %edx, %r11d             // milliseconds
1:      movq    %gs:GREEN_CARRIER_TASK, %rcx
        cmpw    $0, GREEN_TASK_NEW_CODE_LOOKS(%rcx)
        jne     .Lto_dispatch
        begin_stamped
        testl   %r11d, %r11d
        jle     2f
        // Made again it gets what is left. With a time in memory the kernel sees to that.
        stamp
2:      movw    $0, GREEN_TASK_HANDLED(%rcx)
green_plain_wait_insn:
        syscall
        cmpq    $-4, %rax               // EINTR
        je      7f
3:      end_stamped
7:      cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     3b
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        // Both bytes: and no handler has run.
        cmpw    $(GREEN_FOR_OTHERS << 8), GREEN_TASK_HANDLED(%rcx)
        jne     3b
        once_more green_wait_again
        .cfi_endproc
        .cfi_startproc
4:      movl    %r10d, %r11d
        cmpl    $232, %eax              // epoll_wait
        je      1b
        cmpl    $281, %eax              // epoll_pwait
        je      5f
        xorl    %r11d, %r11d
        cmpl    $23, %eax               // select
        je      1b
        cmpl    $270, %eax              // pselect6
        je      6f
        testq   %r10, %r10              // ppoll
        je      1b
        jmp     .Lto_dispatch
5:      testq   %r8, %r8
        je      1b
        jmp     .Lto_dispatch
6:      testq   %r9, %r9
        je      1b
        jmp     .Lto_dispatch
        .cfi_endproc
        .size   green_plain_call, .-green_plain_call

        .type   green_syscall_elsewhere, @function
green_syscall_elsewhere:
        .cfi_startproc
        cfi_in_frame GREEN_FRAME_SIZE
// No runtime on this thread (a forked child before its first thread, a vfork child): the
// kernel does it. A call whose child returns too must leave nothing on the stack.
.Lnative:
        movq    GREEN_FRAME_RAX(%rsp), %rax
        cmpq    $56, %rax               // clone
        je      .Lraw
        cmpq    $58, %rax               // vfork
        je      .Lraw
        cmpq    $435, %rax              // clone3
        je      .Lraw
        syscall
        cmpq    $-3, %rax               // ESRCH
        je      6f
        cmpq    $-22, %rax              // EINVAL
        je      6f
5:      movq    %rax, GREEN_FRAME_RAX(%rsp)
        .cfi_remember_state
        pop_frame 1
        ret
        .cfi_restore_state
// The kernel does not know every owner of a futex (syscalls/shared_pi.h).
6:      cmpq    $202, GREEN_FRAME_RAX(%rsp)
        jne     5b
        movq    %rax, %rsi
        call_with_frame green_end_native_futex
        jmp     5b

// Executes the system call in the slot's raw tail with every register and the stack pointer as
// the program had them.
.Lraw:
        movq    GREEN_FRAME_SLOT_RETURN(%rsp), %rcx
        andq    $~GREEN_SLOT_MASK, %rcx
        leaq    GREEN_SLOT_RAW_TAIL(%rcx), %rcx
        pop_frame_registers
        popfq
        .cfi_adjust_cfa_offset -8
        leaq    16+GREEN_RED_ZONE(%rsp), %rsp
        .cfi_def_cfa rsp, 0
        .cfi_undefined rip
        jmp     *%rcx
        .cfi_endproc
        .size   green_syscall_elsewhere, .-green_syscall_elsewhere

// After the raw tail's system call, in parent and child. rax = its result.
        .globl  green_syscall_after_raw
        .hidden green_syscall_after_raw
        .type   green_syscall_after_raw, @function
green_syscall_after_raw:
        .cfi_startproc
        push_frame
        call_with_frame green_after_raw
        pop_frame_registers
        popfq
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   green_syscall_after_raw, .-green_syscall_after_raw

// First code of a task, called by green_context_entry. rdi, rsi = Transfer. Leaves through the copy of
// the creator's frame that lies at the top of the task's stack.
        .globl  green_task_trampoline
        .hidden green_task_trampoline
        .type   green_task_trampoline, @function
green_task_trampoline:
        .cfi_startproc
        .cfi_undefined rip
        andq    $-16, %rsp
        call    green_task_begin
        movq    %rax, %rdi
// [[noreturn]] void green_leave_through(SyscallFrame*): to the program, on the stack of that frame.
        .globl  green_leave_through
        .hidden green_leave_through
green_leave_through:
        movq    %rdi, %rsp
        .cfi_endproc
        .cfi_startproc
        cfi_in_frame GREEN_FRAME_SITE
        pop_frame_registers
        popfq
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   green_task_trampoline, .-green_task_trampoline

// long green_clone_carrier(unsigned long flags, void* stack_top, void (*fn)(void*), void* arg)
        .globl  green_clone_carrier
        .hidden green_clone_carrier
        .type   green_clone_carrier, @function
green_clone_carrier:
        .cfi_startproc
        subq    $16, %rsi
        movq    %rcx, (%rsi)
        movq    %rdx, 8(%rsi)
        movl    $56, %eax
        xorl    %edx, %edx              // parent_tid
        xorl    %r10d, %r10d            // child_tid
        xorl    %r8d, %r8d              // tls: unused without CLONE_SETTLS
        syscall
        testq   %rax, %rax
        jz      1f
        ret
        .cfi_undefined rip
1:      xorl    %ebp, %ebp
        popq    %rdi
        popq    %rax
        call    *%rax
        hlt
        .cfi_endproc
        .size   green_clone_carrier, .-green_clone_carrier

// void green_call_on_stack(void* fn, long a, void* b, void* c, void* stack_top): fn(a, b, c)
        .globl  green_call_on_stack
        .hidden green_call_on_stack
        .type   green_call_on_stack, @function
green_call_on_stack:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        movq    %r8, %rsp
        andq    $-16, %rsp
        call    *%rax
        movq    %rbp, %rsp
        .cfi_def_cfa_register rsp
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   green_call_on_stack, .-green_call_on_stack

// void green_enter_signal_frame(int sig, void* info, void* uc, void* fn): fn(sig, info, uc) on the
// frame at uc, which begins with the restorer's address.
        .globl  green_enter_signal_frame
        .hidden green_enter_signal_frame
        .type   green_enter_signal_frame, @function
green_enter_signal_frame:
        .cfi_startproc
        leaq    -8(%rdx), %rsp
        jmp     *%rcx
        .cfi_endproc
        .size   green_enter_signal_frame, .-green_enter_signal_frame

// long green_blocking_call(long nr, const long args[6], const uint8_t* handled): a system call that
// may block; not made when *handled says that a handler ran. A signal that finds rip at
// green_blocking_insn came before the call or made the kernel restart it; one that finds it there
// or earlier in here may have missed the test.
        .globl  green_blocking_call, green_blocking_insn
        .hidden green_blocking_call, green_blocking_insn
        .type   green_blocking_call, @function
green_blocking_call:
        .cfi_startproc
        cmpb    $0, (%rdx)
        jne     1f
        movq    %rdi, %rax
        movq    %rsi, %rcx
        movq    0(%rcx), %rdi
        movq    8(%rcx), %rsi
        movq    16(%rcx), %rdx
        movq    24(%rcx), %r10
        movq    32(%rcx), %r8
        movq    40(%rcx), %r9
green_blocking_insn:
        syscall
        ret
1:      movq    $-4, %rax               // -EINTR
        ret
        .cfi_endproc
        .size   green_blocking_call, .-green_blocking_call

// sa_restorer. No FDE covers it or the bytes before it on purpose: unwinders know a signal frame by
// these very instructions, and gdb by libc's name for them.
        .p2align 5
        .fill   32, 1, 0x90
        .globl  __restore_rt
        .hidden __restore_rt
        .type   __restore_rt, @function
__restore_rt:
        movq    $15, %rax
        syscall
        .size   __restore_rt, .-__restore_rt

        .section .note.GNU-stack,"",@progbits
