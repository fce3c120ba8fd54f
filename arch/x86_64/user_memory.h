// Access to memory that the program named in a system call and that may not be there: a fault
// inside these makes them return false (the program gets EFAULT), as copy_from_user does.
// The SIGSEGV/SIGBUS entry asks FaultFixup() whether the faulting instruction is one of them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

extern "C" {
bool green_copy(void* dst, const void* src, size_t n);
bool green_load32(const void* addr, uint32_t* out);
// Compare-and-swap; *expected is updated on a mismatch, *done says whether it took place.
bool green_cas32(void* addr, uint32_t* expected, uint32_t desired, bool* done);
bool green_load64(const void* addr, uint64_t* out);
bool green_store64(void* addr, uint64_t value);
extern const char green_user_begin[], green_user_end[], green_user_fault[];
}

template <typename T>
inline bool CopyIn(T* dst, const void* user) {
  if constexpr (sizeof(T) == 8)
    return green_load64(user, reinterpret_cast<uint64_t*>(dst));
  else
    return green_copy(dst, user, sizeof(T));
}
template <typename T>
inline bool CopyOut(void* user, const T& src) {
  if constexpr (sizeof(T) == 8)
    return green_store64(user, __builtin_bit_cast(uint64_t, src));
  else
    return green_copy(user, &src, sizeof(T));
}

// The address to resume at when pc faulted inside one of the functions above, else 0. They keep
// nothing on the stack, so the resumption is a plain `return false`.
inline uintptr_t FaultFixup(uintptr_t pc) {
  if (pc >= reinterpret_cast<uintptr_t>(green_user_begin) &&
      pc < reinterpret_cast<uintptr_t>(green_user_end))
    return reinterpret_cast<uintptr_t>(green_user_fault);
  return 0;
}

}  // namespace green
