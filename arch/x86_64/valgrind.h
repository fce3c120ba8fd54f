// Whether an interpreter that knows valgrind's client requests executes this: they run the program
// on one kernel thread at a time and know nothing of GS base. Request 0x1001, RUNNING_ON_VALGRIND;
// Valgrind Manual, "The Client Request mechanism". Elsewhere the rotations add up to nothing.
#pragma once

#include <cstdint>

namespace green {

inline bool UnderValgrind() {
  const uint64_t request[6] = {0x1001};
  uint64_t result = 0;
  asm volatile(
      "rolq $3, %%rdi\n rolq $13, %%rdi\n rolq $61, %%rdi\n rolq $51, %%rdi\n"
      "xchgq %%rbx, %%rbx"
      : "+d"(result)
      : "a"(request)
      : "cc", "memory");
  return result != 0;
}

}  // namespace green
