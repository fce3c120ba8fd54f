// The vector registers at a system call belong to the program: the kernel keeps them, so a
// park must too. libgreen itself is compiled without them, so they are saved only when another
// task is about to run. Sites in libc are compiled for baseline x86-64: xmm0-15 suffice. Any
// other site may hold wider state in its own inline assembly: XSAVEC keeps what is in use.
#pragma once

#include <cstddef>
#include <cstdint>

namespace green {

inline constexpr size_t kSseAreaSize = 256;
inline void SaveSse(void* area) {
  asm volatile(
      "movups %%xmm0, 0(%0)\n movups %%xmm1, 16(%0)\n movups %%xmm2, 32(%0)\n"
      "movups %%xmm3, 48(%0)\n movups %%xmm4, 64(%0)\n movups %%xmm5, 80(%0)\n"
      "movups %%xmm6, 96(%0)\n movups %%xmm7, 112(%0)\n movups %%xmm8, 128(%0)\n"
      "movups %%xmm9, 144(%0)\n movups %%xmm10, 160(%0)\n movups %%xmm11, 176(%0)\n"
      "movups %%xmm12, 192(%0)\n movups %%xmm13, 208(%0)\n movups %%xmm14, 224(%0)\n"
      "movups %%xmm15, 240(%0)\n"
      :
      : "r"(area)
      : "memory");
}
inline void RestoreSse(const void* area) {
  asm volatile(
      "movups 0(%0), %%xmm0\n movups 16(%0), %%xmm1\n movups 32(%0), %%xmm2\n"
      "movups 48(%0), %%xmm3\n movups 64(%0), %%xmm4\n movups 80(%0), %%xmm5\n"
      "movups 96(%0), %%xmm6\n movups 112(%0), %%xmm7\n movups 128(%0), %%xmm8\n"
      "movups 144(%0), %%xmm9\n movups 160(%0), %%xmm10\n movups 176(%0), %%xmm11\n"
      "movups 192(%0), %%xmm12\n movups 208(%0), %%xmm13\n movups 224(%0), %%xmm14\n"
      "movups 240(%0), %%xmm15\n"
      :
      : "r"(area)
      : "memory");
}

// Bytes that XSAVEC may write here for every component the kernel enabled; 0 without XSAVEC.
extern size_t g_xsave_size;
void DetectVectorState();

// area: 64-byte aligned, g_xsave_size bytes.
inline void SaveExtended(void* area) {
  auto p = static_cast<uint64_t*>(area);
  for (int i = 64; i < 72; ++i) p[i] = 0;  // XRSTOR faults on garbage in the XSAVE header
  asm volatile("xsavec64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}
inline void RestoreExtended(const void* area) {
  asm volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

}  // namespace green
