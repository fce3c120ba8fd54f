// GREEN_FOLLOW=0: programs that this one starts run without libgreen. The library's own entry is
// cut out of LD_PRELOAD, in place, before the program can copy its environment.
#include "interpose/follow.h"

#include <unistd.h>

#include <cstddef>

namespace green {
namespace {

// Past `name=` in an environment entry, or null.
char* ValueOf(char* entry, const char* name) {
  for (; *name; ++entry, ++name)
    if (*entry != *name) return nullptr;
  return *entry == '=' ? entry + 1 : nullptr;
}

bool IsOurs(const char* path, size_t length) {
  constexpr char kName[] = "libgreen.so";
  constexpr size_t kLength = sizeof kName - 1;
  if (length < kLength) return false;
  const char* tail = path + length - kLength;
  for (size_t i = 0; i < kLength; ++i)
    if (tail[i] != kName[i]) return false;
  return tail == path || tail[-1] == '/';
}

bool Separates(char c) { return c == ':' || c == ' '; }

void CutOut(char* list) {
  char* out = list;
  for (char* p = list; *p;) {
    char* end = p;
    while (*end && !Separates(*end)) ++end;
    char* next = *end ? end + 1 : end;
    if (!IsOurs(p, static_cast<size_t>(end - p))) {
      if (out != list) *out++ = ':';
      while (p < end) *out++ = *p++;
    }
    p = next;
  }
  *out = 0;
}

}  // namespace

void Follow() {
  char* follow = nullptr;
  char* preload = nullptr;
  for (char** e = environ; e && *e; ++e) {
    if (char* v = ValueOf(*e, "GREEN_FOLLOW")) follow = v;
    if (char* v = ValueOf(*e, "LD_PRELOAD")) preload = v;
  }
  if (follow && follow[0] == '0' && !follow[1] && preload) CutOut(preload);
}

}  // namespace green
