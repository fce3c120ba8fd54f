// FS base is the task's (its TLS), GS base is the carrier's (libgreen's own pointer).
// Sources: arch_prctl(2); Documentation/arch/x86/x86_64/fsgs.rst.
#pragma once

#include <asm/prctl.h>
#include <sys/syscall.h>

#include <cstdint>

#include "base/raw_syscall.h"

namespace green {

// Set once at start, before any task: the kernel lets user code write the bases
// (HWCAP2_FSGSBASE) and GREEN_FSGSBASE=0 does not forbid it.
extern bool g_has_fsgsbase;

inline uintptr_t GetFsBase() {
  uintptr_t v;
  if (__builtin_expect(g_has_fsgsbase, 1)) {
    asm volatile("rdfsbase %0" : "=r"(v));
  } else {
    RawSyscall(SYS_arch_prctl, ARCH_GET_FS, &v);
  }
  return v;
}

inline void SetFsBase(uintptr_t v) {
  if (__builtin_expect(g_has_fsgsbase, 1)) {
    asm volatile("wrfsbase %0" : : "r"(v) : "memory");
  } else {
    RawSyscall(SYS_arch_prctl, ARCH_SET_FS, v);
  }
}

inline void SetGsBase(uintptr_t v) {
  if (__builtin_expect(g_has_fsgsbase, 1)) {
    asm volatile("wrgsbase %0" : : "r"(v) : "memory");
  } else {
    RawSyscall(SYS_arch_prctl, ARCH_SET_GS, v);
  }
}

inline uintptr_t GetGsBase() {
  uintptr_t v;
  RawSyscall(SYS_arch_prctl, ARCH_GET_GS, &v);
  return v;
}

}  // namespace green
