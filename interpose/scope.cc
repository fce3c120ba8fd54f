#include "interpose/scope.h"

#include <atomic>

#include "interpose/real.h"
#include "interpose/start.h"

namespace green {
namespace {

// Of glibc's struct pthread_attr (nptl/internaltypes.h).
constexpr size_t kFlagsAt = 8;
constexpr int kScopeProcess = 4;       // ATTR_FLAG_SCOPEPROCESS
constexpr int kScopeSystem = 1 << 30;  // ours

// The program has asked for PTHREAD_SCOPE_PROCESS somewhere.
std::atomic<bool> g_tells_scopes_apart{false};

int* FlagsOf(pthread_attr_t* attr) {
  return reinterpret_cast<int*>(reinterpret_cast<char*>(attr) + kFlagsAt);
}

// glibc's functions show whether the flag is where we think.
bool LayoutIsKnown() {
  static int known;  // idempotent, so a race is harmless
  if (!known) {
    pthread_attr_t attr;
    int scope = -1;
    known = -1;
    if (pthread_attr_init(&attr) == 0) {
      const bool clear = *FlagsOf(&attr) == 0;
      *FlagsOf(&attr) |= kScopeProcess;
      GREEN_REAL(pthread_attr_getscope)(&attr, &scope);
      if (clear && scope == PTHREAD_SCOPE_PROCESS) known = 1;
      pthread_attr_destroy(&attr);
    }
  }
  return known == 1;
}

}  // namespace

Scope ScopeOf(const pthread_attr_t* attr) {
  if (!LayoutIsKnown()) return Scope::kDefault;
  const int flags = *FlagsOf(const_cast<pthread_attr_t*>(attr));
  if (flags & kScopeProcess) return Scope::kProcess;
  return flags & kScopeSystem ? Scope::kSystem : Scope::kDefault;
}

bool TellsScopesApart() { return g_tells_scopes_apart.load(std::memory_order_relaxed); }

void SetScope(pthread_attr_t* attr, Scope scope) {
  if (!LayoutIsKnown()) return;
  *FlagsOf(attr) =
      (*FlagsOf(attr) & ~(kScopeProcess | kScopeSystem)) | (scope == Scope::kProcess ? kScopeProcess
                                                            : scope == Scope::kSystem ? kScopeSystem
                                                                                      : 0);
}

}  // namespace green

using namespace green;

// Natively PROCESS is ENOTSUP.
GREEN_EXPORT int pthread_attr_setscope(pthread_attr_t* attr, int scope) noexcept {
  const int r = GREEN_REAL(pthread_attr_setscope)(attr, scope);
  if (RunsNatively() || !LayoutIsKnown()) return r;
  if (scope != PTHREAD_SCOPE_PROCESS && r) return r;
  if (scope == PTHREAD_SCOPE_PROCESS) g_tells_scopes_apart.store(true, std::memory_order_relaxed);
  SetScope(attr, scope == PTHREAD_SCOPE_PROCESS ? Scope::kProcess
                 : TellsScopesApart()           ? Scope::kSystem
                                                : Scope::kDefault);
  return 0;
}

// Of attributes that say nothing: what a thread would get; before the program tells the scopes
// apart, what it knows.
GREEN_EXPORT int pthread_attr_getscope(const pthread_attr_t* attr, int* scope) noexcept {
  const int r = GREEN_REAL(pthread_attr_getscope)(attr, scope);
  if (r == 0 && !RunsNatively() && TellsScopesApart() && ScopeOf(attr) == Scope::kDefault &&
      GreenByDefault())
    *scope = PTHREAD_SCOPE_PROCESS;
  return r;
}
