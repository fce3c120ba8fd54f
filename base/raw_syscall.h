// System calls made directly, never through libc: no errno, no cancellation, no interception.
// Every function returns the kernel's value, -errno on failure. Any thread may call.
#pragma once

#include <cstdint>

namespace green {

template <typename... Args>
inline long RawSyscall(long nr, Args... args) {
  static_assert(sizeof...(Args) <= 6);
  const long a[6] = {(long)args...};
  register long r10 asm("r10") = a[3];
  register long r8 asm("r8") = a[4];
  register long r9 asm("r9") = a[5];
  long ret;
  asm volatile("syscall"
               : "=a"(ret)
               : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return ret;
}

inline bool IsError(long r) { return r < 0 && r >= -4095; }

}  // namespace green
