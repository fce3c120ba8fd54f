// Finds two-byte patterns in code, eight positions at a time without vector registers.
#pragma once

#include <cstdint>

namespace green {

// Nonzero if a byte of v is zero (exactly that: no false alarms as a whole).
inline uint64_t AnyZeroByte(uint64_t v) {
  return (v - 0x0101010101010101) & ~v & 0x8080808080808080;
}

inline uint64_t LoadWord(const uint8_t* p) {
  uint64_t v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// Calls found(p) for each p in [begin, end - 1) with p[0] == first and p[1] == second.
template <typename Found>
void ForEachPair(const uint8_t* begin, const uint8_t* end, uint8_t first, uint8_t second,
                 Found found) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const uint64_t firsts = kEach * first, seconds = kEach * second;
  const auto hit = [&](const uint8_t* p) {
    return AnyZeroByte((LoadWord(p) ^ firsts) | (LoadWord(p + 1) ^ seconds));
  };
  const uint8_t* p = begin;
  for (; end - p > 32; p += 32) {
    if (__builtin_expect((hit(p) | hit(p + 8) | hit(p + 16) | hit(p + 24)) == 0, 1)) continue;
    for (int n = 0; n < 32; ++n)
      if (p[n] == first && p[n + 1] == second) found(p + n);
  }
  for (; end - p > 1; ++p)
    if (p[0] == first && p[1] == second) found(p);
}

}  // namespace green
