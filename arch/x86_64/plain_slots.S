// Slots for the sites of calls that mostly only the kernel need see. They make the call themselves, as
// if it had not been patched, and outside libgreen throughout. A site has one of these beside its
// ordinary slot (interpose/slot.h), which takes the rest: this one goes to the other's call, or has
// green_plain_entry_end (syscalls/plain.cc) return there.
//
// Behind a system call the CPU has forgotten where code jumps to: each jump that is taken costs 5 ns,
// more than all that these test and write. So each site has the code in its own slot, and goes
// straight through it in the usual case: one jump to here and one back.
//
// Each word of the carrier is read or written by one instruction, as a signal's handler may move the
// task between any two. A signal that finds rip at a syscall instruction of these came before the
// call or made the kernel restart it, as at green_blocking_insn.
//
// interpose/plain_slot.h has the layout: literals, what stood before the syscall (it ends where the
// code begins), the code, with room for what stood behind; the way to green_plain_entry_end, at which
// a fault in here goes on, too: only what the program named can fault (GREEN_PLAIN_SLOT_END).
#include "arch/x86_64/layout.h"

        .section .text.green_plain_slots, "ax", @progbits
        .p2align GREEN_PLAIN_SLOT_BITS
        .globl  green_plain_slots, green_plain_slots_end
        .hidden green_plain_slots, green_plain_slots_end
green_plain_slots:

// Numeric labels: 1 the slot, 2 its ordinary call, 3 green_plain_entry_end, 4 the way back, 10 behind
// the system call.

// The caller is told by the literal: *((rip & -GREEN_PLAIN_SLOT_SIZE) + GREEN_PLAIN_SLOT_SITE).
        .macro  cfi_without_frame
        .cfi_def_cfa rsp, 0
        .cfi_escape 0x10, 16, 8, 0x80, 0, 0x0b, (-GREEN_PLAIN_SLOT_SIZE) & 0xff, \
                ((-GREEN_PLAIN_SLOT_SIZE) >> 8) & 0xff, 0x1a, 0x23, GREEN_PLAIN_SLOT_SITE
        .endm
        .macro  cfi_with_site
        .cfi_def_cfa rsp, GREEN_RED_ZONE + 8
        .cfi_offset rip, -(GREEN_RED_ZONE + 8)
        .endm

        .macro  begin nr
        .p2align GREEN_PLAIN_SLOT_BITS
        .cfi_startproc
        cfi_without_frame
1:      .quad   0, 0, 0, 0              // resume, site, ordinary_call, ordinary_return
        .long   \nr
        .short  10f - 1b                // called
        .short  4f + 8 - 1b             // behind
        .org    1b + GREEN_PLAIN_SLOT_CODE, 0xcc
        leaq    -GREEN_RED_ZONE(%rsp), %rsp
        .cfi_adjust_cfa_offset GREEN_RED_ZONE
        pushq   1b + GREEN_PLAIN_SLOT_SITE(%rip)  // for unwinders
        cfi_with_site
        cmpb    $0, %gs:GREEN_CARRIER_NATIVE
        jne     2f
        .endm

// Not while the task blocks one of the signals `but`.
        .macro  call_kernel but=0
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        .if \but
        testl   $\but, GREEN_TASK_MASK(%rcx)
        jne     2f
        .endif
        cmpw    $0, GREEN_TASK_NEW_CODE_LOOKS(%rcx)
        jne     2f
        cmpl    $GREEN_MONITOR_SLEEPS, g_monitor+GREEN_MONITOR_RESTING(%rip)
        je      2f                      // who wakes it
        movq    $0, GREEN_TASK_FRAME(%rcx)
        movl    g_monitor+GREEN_MONITOR_MS(%rip), %r11d
        movl    %r11d, GREEN_TASK_SINCE(%rcx)
        movw    $0, GREEN_TASK_HANDLED(%rcx)
        incl    %gs:GREEN_CARRIER_CALL_NUMBER
        movb    $1, %gs:GREEN_CARRIER_IN_SYSCALL
        syscall
10:     movb    $0, %gs:GREEN_CARRIER_IN_SYSCALL
        // Retake, attention or a kick; native in a child that a handler forked.
        cmpl    $0, %gs:GREEN_CARRIER_NATIVE
        jne     3f
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        movl    g_monitor+GREEN_MONITOR_MS(%rip), %r11d
        cmpl    %r11d, GREEN_TASK_SINCE(%rcx)
        jne     3f                      // it took milliseconds
        .endm

        .macro  finish
4:      leaq    GREEN_RED_ZONE + 8(%rsp), %rsp
        cfi_without_frame
        .fill   GREEN_PLAIN_SLOT_BEHIND_MAX, 1, 0xcc
        // For sites that return: as return_behind_call.
        popq    %rcx
        .cfi_register rip, rcx
        jmp     *%rcx
        cfi_with_site
2:      jmp     *1b + GREEN_PLAIN_SLOT_ORDINARY_CALL(%rip)
        .endm

        .macro  end nr
        .org    1b + GREEN_PLAIN_SLOT_END, 0xcc
3:      movq    %rax, %rcx
        movl    $\nr, %eax
        pushq   1b + GREEN_PLAIN_SLOT_ORDINARY_RETURN(%rip)
        .cfi_adjust_cfa_offset 8
        jmp     green_plain_entry_end
        .cfi_endproc
        .endm

// rcx = the FdState of the number in \fd, with r11 lost, or to \none. Labels: \far its rest, for
// numbers that are not in the first chunk, and \near behind.
        .macro  fd_state fd, far, near
        movl    %\fd, %ecx
        leaq    green_first_fds(%rip), %r11
        cmpl    $1 << GREEN_FD_CHUNK_BITS, %ecx
        jae     \far\()f
        shll    $GREEN_FD_SIZE_BITS, %ecx
        addq    %r11, %rcx
\near:
        .endm
        .macro  fd_state_far fd, far, near, none
\far:
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
        jmp     \near\()b
        .endm

// At the file's position. A tty asks for the signals (tty_signals.h). A bound task waits in the kernel
// whatever the file is; but a signalfd is to show its own blocked signals.
        .macro  transfer nr
        begin   \nr
        fd_state edi, 5, 6
        testl   $GREEN_FD_PLAIN, GREEN_FD_FLAGS(%rcx)
        jz      7f
8:      call_kernel GREEN_TTY_SIGNALS
        cmpq    $-4, %rax               // EINTR
        je      3f
        finish
7:      cmpb    $0, %gs:GREEN_CARRIER_BOUND
        je      2b
        testb   $GREEN_PLAIN_STAMPED, green_plain_calls+4*\nr(%rip)
        jne     2b
        movq    %gs:GREEN_CARRIER_TASK, %rcx
        cmpq    $0, GREEN_TASK_PENDING(%rcx)
        jne     2b
        jmp     8b
        fd_state_far edi, 5, 6, 2b
        end     \nr
        .endm

        .macro  transfer_at nr
        begin   \nr
        call_kernel
        cmpq    $-4, %rax
        je      3f
        finish
        end     \nr
        .endm

// What is known of the number is forgotten before, as it may be another file's right after.
        .macro  close_file nr
        begin   \nr
        fd_state edi, 5, 6
        testl   $GREEN_FD_PLAIN, GREEN_FD_FLAGS(%rcx)
        jz      2f
        cmpb    $0, GREEN_FD_REGISTERED(%rcx)
        jne     2f
        movl    $0, GREEN_FD_FLAGS(%rcx)
        call_kernel
        testq   %rax, %rax
        jne     7f
        // Looked at, or waited for, by a task between the test and the call?
        fd_state edi, 8, 9
        cmpq    $0, (%rcx)              // GREEN_FD_REGISTERED, GREEN_FD_FLAGS
        jne     3f
        finish
7:      cmpq    $-4, %rax
        je      3f
        jmp     4b
        fd_state_far edi, 5, 6, 2b
        fd_state_far edi, 8, 9, 3f
        end     \nr
        .endm

// A new file. Terminals are mostly opened for reading and writing. Of files that are not there, those
// of a task may be found (open.cc): /proc/..., or a number below the list of threads.
        .macro  open_at nr
        begin   \nr
        call_kernel
        testq   %rax, %rax
        js      7f
        movl    %edx, %ecx
        andl    $3, %ecx                // O_ACCMODE
        cmpl    $2, %ecx
        je      3f
        fd_state eax, 5, 6
        cmpq    $0, (%rcx)              // else its last close went past libgreen
        jne     3f
        movl    $GREEN_FD_OPENED, GREEN_FD_FLAGS(%rcx)
        finish
7:      cmpq    $-4, %rax
        je      3f
        cmpq    $-2, %rax               // ENOENT
        jne     4b
        movzbl  (%rsi), %ecx
        cmpl    $'/', %ecx
        je      8f
        subl    $'0', %ecx
        cmpl    $9, %ecx
        jbe     3f
        jmp     4b
8:      cmpb    $'p', 1(%rsi)
        je      3f
        jmp     4b
        fd_state_far eax, 5, 6, 3f
        end     \nr
        .endm

// Of a directory that was opened here, unless it has turned out to be the list of threads: the kernel's
// has a number's name among its first three (task_directory.cc).
        .macro  directory nr
        begin   \nr
        fd_state edi, 5, 6
        movl    GREEN_FD_FLAGS(%rcx), %ecx
        andl    $GREEN_FD_OPENED | GREEN_FD_THREADS, %ecx
        cmpl    $GREEN_FD_OPENED, %ecx
        jne     2f
        call_kernel
        testq   %rax, %rax
        jle     7f
        xorl    %ecx, %ecx
        .rept   3
        movzbl  GREEN_DIRENT_NAME(%rsi,%rcx), %r11d
        subl    $'1', %r11d
        cmpl    $8, %r11d
        jbe     3f
        movzwl  GREEN_DIRENT_SIZE(%rsi,%rcx), %r11d
        addl    %r11d, %ecx
        cmpl    %eax, %ecx
        jae     4f
        .endr
        finish
7:      cmpq    $-4, %rax
        je      3f
        jmp     4b
        fd_state_far edi, 5, 6, 2b
        end     \nr
        .endm

// Neither shared memory nor code.
        .macro  map nr
        begin   \nr
        testl   $1, %r10d               // MAP_SHARED
        jne     2f
        testl   $4, %edx                // PROT_EXEC
        jne     2f
        call_kernel
        finish
        end     \nr
        .endm

        .macro  no_more_than_call nr
        begin   \nr
        call_kernel
        finish
        end     \nr
        .endm

// As many as there are sites in libc and the loader, and some for other libraries.
        .rept   16
        transfer 0                      // read
        .endr
        .rept   12
        transfer 1                      // write
        .endr
        .rept   16
        close_file 3                    // close
        .endr
        .rept   4
        map     9                       // mmap
        .endr
        .rept   8
        no_more_than_call 10            // mprotect
        .endr
        .rept   6
        transfer_at 17                  // pread64
        .endr
        .rept   6
        transfer_at 18                  // pwrite64
        .endr
        .rept   4
        directory 217                   // getdents64
        .endr
        .rept   12
        open_at 257                     // openat
        .endr

        .p2align GREEN_PLAIN_SLOT_BITS
green_plain_slots_end:

        .section .note.GNU-stack,"",@progbits
