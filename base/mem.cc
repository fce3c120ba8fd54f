// The compiler may call these four for any struct copy. libc's versions use vector registers,
// which the runtime must not touch before it has saved them, so the library brings its own.
#include <cstddef>
#include <cstdint>

extern "C" {

__attribute__((visibility("hidden"))) void* memcpy(void* dst, const void* src, size_t n) {
  void* d = dst;
  asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
  return dst;
}

__attribute__((visibility("hidden"))) void* memset(void* dst, int c, size_t n) {
  void* d = dst;
  asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
  return dst;
}

__attribute__((visibility("hidden"))) void* memmove(void* dst, const void* src, size_t n) {
  auto d = static_cast<char*>(dst);
  auto s = static_cast<const char*>(src);
  if (reinterpret_cast<uintptr_t>(d) - reinterpret_cast<uintptr_t>(s) >= n)
    return memcpy(dst, src, n);
  d += n - 1;
  s += n - 1;
  asm volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(n) : : "memory", "cc");
  return dst;
}

__attribute__((visibility("hidden"))) int memcmp(const void* a, const void* b, size_t n) {
  auto p = static_cast<const unsigned char*>(a);
  auto q = static_cast<const unsigned char*>(b);
  for (; n; --n, ++p, ++q)
    if (*p != *q) return *p - *q;
  return 0;
}

__attribute__((visibility("hidden"))) size_t strlen(const char* s) {
  const char* p = s;
  while (*p) ++p;
  return static_cast<size_t>(p - s);
}

}  // extern "C"
