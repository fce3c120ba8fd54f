// Text where libc's printf is not to be had: each appends at `to`, ends it with a 0, and returns
// where that is. The caller has made room: 11 bytes for a number.
#pragma once

#include <cstdint>

namespace green {

inline char* AppendText(char* to, const char* s) {
  while (*s) *to++ = *s++;
  *to = 0;
  return to;
}

inline char* AppendNumber(char* to, uint32_t value) {
  char digits[10];
  int n = 0;
  for (; n == 0 || value; value /= 10) digits[n++] = static_cast<char>('0' + value % 10);
  while (n) *to++ = digits[--n];
  *to = 0;
  return to;
}

}  // namespace green
