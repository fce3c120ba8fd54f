// Checks that stay on in release: print what and where with a raw write, then abort.
#pragma once

namespace green {
[[noreturn]] void CheckFailed(const char* what, const char* file, int line);
}

#define GREEN_CHECK(cond)                                                              \
  do {                                                                                 \
    if (__builtin_expect(!(cond), 0)) ::green::CheckFailed(#cond, __FILE__, __LINE__); \
  } while (0)
