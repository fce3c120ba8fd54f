// Finds two-byte patterns in code, 64 positions at a time.
#pragma once

#include <cstdint>

namespace green {

struct alignas(16) PairPattern {
  uint8_t first[16], second[16];
};

// Nonzero if p[n] is the pattern's first byte and p[n + 1] its second one for some n below 64.
// Reads 65 bytes. With vector registers, as branch_scan.cc: megabytes go through here, between two
// calls of the program's, at which it expects no vector register to survive.
inline uint32_t AnyPairIn64(const uint8_t* p, const PairPattern* pattern) {
  uint32_t mask;
  asm("movdqa (%[k]), %%xmm4\n"
      "movdqa 16(%[k]), %%xmm5\n"
      "movdqu (%[p]), %%xmm0\n"
      "movdqu 16(%[p]), %%xmm1\n"
      "movdqu 32(%[p]), %%xmm2\n"
      "movdqu 48(%[p]), %%xmm3\n"
      "movdqu 1(%[p]), %%xmm6\n"
      "movdqu 17(%[p]), %%xmm7\n"
      "pcmpeqb %%xmm4, %%xmm0\n"
      "pcmpeqb %%xmm4, %%xmm1\n"
      "pcmpeqb %%xmm5, %%xmm6\n"
      "pcmpeqb %%xmm5, %%xmm7\n"
      "pand %%xmm6, %%xmm0\n"
      "pand %%xmm7, %%xmm1\n"
      "movdqu 33(%[p]), %%xmm6\n"
      "movdqu 49(%[p]), %%xmm7\n"
      "pcmpeqb %%xmm4, %%xmm2\n"
      "pcmpeqb %%xmm4, %%xmm3\n"
      "pcmpeqb %%xmm5, %%xmm6\n"
      "pcmpeqb %%xmm5, %%xmm7\n"
      "pand %%xmm6, %%xmm2\n"
      "pand %%xmm7, %%xmm3\n"
      "por %%xmm1, %%xmm0\n"
      "por %%xmm3, %%xmm2\n"
      "por %%xmm2, %%xmm0\n"
      "pmovmskb %%xmm0, %[mask]"
      : [mask] "=r"(mask)
      : [p] "r"(p), [k] "r"(pattern), "m"(*reinterpret_cast<const uint8_t(*)[65]>(p)),
        "m"(*pattern));
  return mask;
}

// Calls found(p) for each p in [begin, end - 1) with p[0] == first and p[1] == second.
template <typename Found>
void ForEachPair(const uint8_t* begin, const uint8_t* end, uint8_t first, uint8_t second,
                 Found found) {
  PairPattern pattern;
  for (int n = 0; n < 16; ++n) {
    pattern.first[n] = first;
    pattern.second[n] = second;
  }
  const uint8_t* p = begin;
  for (; end - p > 64; p += 64) {
    if (__builtin_expect(!AnyPairIn64(p, &pattern), 1)) continue;
    for (int n = 0; n < 64; ++n)
      if (p[n] == first && p[n + 1] == second) found(p + n);
  }
  for (; end - p > 1; ++p)
    if (p[0] == first && p[1] == second) found(p);
}

}  // namespace green
