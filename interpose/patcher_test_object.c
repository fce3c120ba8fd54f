// A library with system calls of its own, for the patcher's test to load and unload.
#include <sys/syscall.h>

__attribute__((noinline)) long ObjectGetppid(void) {
  long ret;
  __asm__ volatile("syscall" : "=a"(ret) : "0"((long)SYS_getppid) : "rcx", "r11", "memory");
  return ret;
}

// The number is known at run time only; values stay in registers and below the stack pointer.
__attribute__((noinline)) long ObjectSyscall(long nr, long a, long b, long c) {
  long ret;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "0"(nr), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return ret;
}

// Flags set before the call are read behind it: carry must survive.
__attribute__((noinline)) int ObjectCarrySurvives(void) {
  unsigned char carry;
  long ret;
  __asm__ volatile("stc\n mov %[nr], %%eax\n syscall\n setc %[carry]"
                   : "=a"(ret), [carry] "=r"(carry)
                   : [nr] "i"(SYS_getppid)
                   : "rcx", "r11", "memory", "cc");
  return carry;
}

// The red zone below the stack pointer is the function's own.
__attribute__((noinline)) int ObjectRedZoneSurvives(void) {
  long sum;
  __asm__ volatile(
      "movq $11, -8(%%rsp)\n movq $22, -64(%%rsp)\n movq $33, -128(%%rsp)\n"
      "mov %[nr], %%eax\n syscall\n"
      "movq -8(%%rsp), %[sum]\n addq -64(%%rsp), %[sum]\n addq -128(%%rsp), %[sum]"
      : [sum] "=&r"(sum)
      : [nr] "i"(SYS_getppid)
      : "rax", "rcx", "r11", "memory", "cc");
  return sum == 66;
}
