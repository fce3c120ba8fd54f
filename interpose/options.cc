#include "interpose/options.h"

#include "base/message.h"

namespace green {
namespace {

// After `prefix` in s, or null.
const char* After(const char* s, const char* prefix) {
  for (; *prefix; ++s, ++prefix)
    if (*s != *prefix) return nullptr;
  return s;
}

bool Same(const char* a, const char* b) {
  const char* rest = After(a, b);
  return rest && !*rest;
}

// A whole number, optionally with K, M or G.
bool ParseNumber(const char* s, bool units, uint64_t max, uint64_t* out) {
  uint64_t v = 0;
  if (*s < '0' || *s > '9') return false;
  for (; *s >= '0' && *s <= '9'; ++s) {
    v = v * 10 + static_cast<uint64_t>(*s - '0');
    if (v > max) return false;
  }
  if (units && *s) {
    const int shift = *s == 'K' || *s == 'k'   ? 10
                      : *s == 'M' || *s == 'm' ? 20
                      : *s == 'G' || *s == 'g' ? 30
                                               : 0;
    if (!shift) return false;
    v <<= shift;
    ++s;
  }
  *out = v;
  return !*s && v <= max;
}

// The entry may hold anything: what is shown of it fits into the line and can't act on a terminal.
bool Bad(const char* entry, const char* wanted) {
  constexpr size_t kShown = 80;
  char shown[kShown + 1];
  size_t n = 0;
  for (; entry[n] && n < kShown; ++n) shown[n] = entry[n] < ' ' || entry[n] > '~' ? '?' : entry[n];
  shown[n] = 0;
  (Message() << shown << (entry[n] ? "...: " : ": ") << wanted << "; running natively").Write();
  return false;
}

// name,name*: no empty name, '*' at the end of one only.
bool NameList(const char* s) {
  if (!*s) return true;
  for (;; ++s) {
    if (!*s || *s == ',') return false;
    while (*s && *s != ',' && *s != '*') ++s;
    if (*s == '*') ++s;
    if (!*s) return true;
    if (*s != ',') return false;
  }
}

bool ReadOne(const char* e, Settings* s) {
  uint64_t v;
  if (const char* x = After(e, "GREEN_MODE=")) {
    s->scheduler.one_to_one = Same(x, "1:1");
    return s->scheduler.one_to_one || Same(x, "mn") || Bad(e, "must be mn or 1:1");
  }
  if (const char* x = After(e, "GREEN_WORKERS=")) {
    if (!ParseNumber(x, false, 256, &v) || !v)
      return Bad(e, "must be a whole number from 1 to 256");
    s->scheduler.workers = static_cast<uint32_t>(v);
    return true;
  }
  if (const char* x = After(e, "GREEN_STACK=")) {
    if (!ParseNumber(x, true, 1ull << 30, &v) || v < 16384)
      return Bad(e, "must be a size from 16K to 1G, such as 64K");
    s->stack = v;
    return true;
  }
  if (const char* x = After(e, "GREEN_SLICE=")) {
    if (!ParseNumber(x, false, 1000000, &v) || !v)
      return Bad(e, "must be milliseconds, at least 1");
    s->scheduler.slice_ns = static_cast<int64_t>(v) * 1000000;
    return true;
  }
  if (const char* x = After(e, "GREEN_MAX_CARRIERS=")) {
    if (!ParseNumber(x, false, 1 << 20, &v) || !v)
      return Bad(e, "must be a whole number, at least 1");
    s->scheduler.max_carriers = static_cast<uint32_t>(v);
    return true;
  }
  if (const char* x = After(e, "GREEN_DOOR=")) {
    s->patch = !Same(x, "sud-only");
    s->scheduler.user_dispatch = Same(x, "sud") || !s->patch;
    return s->scheduler.user_dispatch || Same(x, "patch") ||
           Bad(e, "must be patch, sud or sud-only");
  }
  if (const char* x = After(e, "GREEN_REPORT=")) {
    s->scheduler.report = Same(x, "1");
    return Same(x, "0") || Same(x, "1") || Bad(e, "must be 0 or 1");
  }
  if (const char* x = After(e, "GREEN_BOUND=")) {
    if (!NameList(x)) return Bad(e, "must be names with commas between them, a * only at an end");
    size_t n = 0;
    for (; x[n] && n + 1 < sizeof s->bound; ++n) s->bound[n] = x[n];
    s->bound[n] = 0;
    return !x[n] || Bad(e, "is too long");
  }
  if (const char* x = After(e, "GREEN_LOG=")) {
    if (!*x || Same(x, "0")) return true;
    s->log_start = Same(x, "start");
    return s->log_start || Bad(e, "must be start");
  }
  if (const char* x = After(e, "GREEN_FSGSBASE=")) {
    s->scheduler.use_fsgsbase = Same(x, "1");
    return Same(x, "0") || Same(x, "1") || Bad(e, "must be 0 or 1");
  }
  if (const char* x = After(e, "GREEN_FOLLOW="))
    return Same(x, "0") || Same(x, "1") || Bad(e, "must be 0 or 1");
  if (After(e, "GREEN_LIBRARY=")) return true;  // the command's, not ours
  return Bad(e, "unknown setting");
}

}  // namespace

bool ReadSettings(char** environment, Settings* out) {
  for (char** e = environment; e && *e; ++e)
    if (After(*e, "GREEN_") && !ReadOne(*e, out)) return false;
  return true;
}

}  // namespace green
