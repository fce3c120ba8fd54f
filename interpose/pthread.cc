// The few pthread functions that libgreen interposes: to start at the first thread, to give
// threads stacks of its own pool, and to learn when the program lets go of one. libc's functions
// do the work.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include "interpose/real.h"
#include "interpose/scope.h"
#include "interpose/start_symbol.h"
#include "sched/identity.h"
#include "sched/scheduler.h"
#include "sched/stack_pool.h"

namespace green {
namespace {

std::atomic<bool> g_default_attr_changed{false};

// The attributes a thread without attributes gets. Joinable, default everything else.
struct DefaultAttr {
  pthread_attr_t attr;
  bool ok;
  DefaultAttr() {
    if (g_default_attr_changed.load(std::memory_order_relaxed))
      ok = pthread_getattr_default_np(&attr) == 0;
    else
      ok = pthread_attr_init(&attr) == 0;
  }
  ~DefaultAttr() {
    if (ok) pthread_attr_destroy(&attr);
  }
};

size_t NativeDefaultStack() {
  static size_t cached;
  if (!cached || g_default_attr_changed.load(std::memory_order_relaxed)) {
    pthread_attr_t attr;
    size_t size = 0;
    if (pthread_getattr_default_np(&attr) == 0) {
      pthread_attr_getstacksize(&attr, &size);
      pthread_attr_destroy(&attr);
    }
    cached = size;
  }
  return cached;
}

// The program gave a stack of its own.
bool HasOwnStack(const pthread_attr_t* attr) {
  void* low;
  size_t size;
  if (pthread_attr_getstack(attr, &low, &size)) return true;
  return reinterpret_cast<uintptr_t>(low) + size != 0;
}

void LetGo(StackSlot* slot) {
  if (!slot) return;
  GreenSection inside;
  FinishStack(slot, StackSlot::kLetGo);
}

Task* TaskOf(pthread_t thread) {
  return thread == pthread_self() ? CurrentTask() : FindTaskByPthread(thread);
}

StackSlot* SlotOf(pthread_t thread) { return StackSlotAt(reinterpret_cast<void*>(thread)); }

// What the creator asked for, by the attributes or by GREEN_BOUND.
Scope AskedScope(const pthread_attr_t* attr, void* (*start)(void*)) {
  const Scope scope = ScopeOf(attr);
  if (scope != Scope::kDefault) return scope;
  int inherit = PTHREAD_INHERIT_SCHED, policy = 0;
  pthread_attr_getinheritsched(attr, &inherit);
  pthread_attr_getschedpolicy(attr, &policy);
  const bool real_time = inherit == PTHREAD_EXPLICIT_SCHED && IsRealTime(policy);
  return real_time || HasBoundName(reinterpret_cast<void*>(start)) ? Scope::kSystem
                                                                   : Scope::kDefault;
}

int CreateOnPoolStack(pthread_t* thread, const pthread_attr_t* attr, void* (*start)(void*),
                      void* arg) {
  auto real = GREEN_REAL(pthread_create);
  if (HasOwnStack(attr)) return real(thread, attr, start, arg);
  size_t size = 0, guard = 0;
  int detached = PTHREAD_CREATE_JOINABLE;
  pthread_attr_getstacksize(attr, &size);
  pthread_attr_getguardsize(attr, &guard);
  pthread_attr_getdetachstate(attr, &detached);
  if (DefaultStack() && size == NativeDefaultStack()) size = DefaultStack();
  StackRange stack;
  {
    GreenSection inside;
    stack = TakeStack(size, guard);
    if (stack.slot) CurrentTask()->spawn_stack = stack.slot;
  }
  // Without room in the pool libc maps a stack, or says EAGAIN.
  if (!stack.slot) return real(thread, attr, start, arg);
  pthread_attr_t copy = *attr;
  pthread_attr_setstack(&copy, stack.base, stack.size);
  if (detached == PTHREAD_CREATE_DETACHED) LetGo(stack.slot);
  const int r = real(thread, &copy, start, arg);
  if (r) {
    GreenSection inside;
    Task* cur = CurrentTask();
    if (cur->spawn_stack) {
      cur->spawn_stack = nullptr;  // no thread came to be
      ReturnStack(stack.slot);
    } else if (detached != PTHREAD_CREATE_DETACHED) {
      FinishStack(stack.slot, StackSlot::kLetGo);  // it ended by itself: its attributes failed
    }
  }
  return r;
}

int Create(pthread_t* thread, const pthread_attr_t* attr, void* (*start)(void*), void* arg) {
  // The clone underneath takes it.
  CurrentTask()->spawn_scope = AskedScope(attr, start);
  const int r = CreateOnPoolStack(thread, attr, start, arg);
  if (r) CurrentTask()->spawn_scope = Scope::kDefault;
  return r;
}

}  // namespace
}  // namespace green

using namespace green;

GREEN_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attr,
                                void* (*start)(void*), void* arg) noexcept {
  if (!EnsureStarted()) return GREEN_REAL(pthread_create)(thread, attr, start, arg);
  if (attr) return Create(thread, attr, start, arg);
  DefaultAttr defaults;
  if (!defaults.ok) return GREEN_REAL(pthread_create)(thread, nullptr, start, arg);
  return Create(thread, &defaults.attr, start, arg);
}

GREEN_EXPORT int pthread_join(pthread_t thread, void** value) {
  const int r = GREEN_REAL(pthread_join)(thread, value);
  if (r == 0 && Started()) LetGo(SlotOf(thread));
  return r;
}

GREEN_EXPORT int pthread_tryjoin_np(pthread_t thread, void** value) noexcept {
  const int r = GREEN_REAL(pthread_tryjoin_np)(thread, value);
  if (r == 0 && Started()) LetGo(SlotOf(thread));
  return r;
}

GREEN_EXPORT int pthread_timedjoin_np(pthread_t thread, void** value, const timespec* until) {
  const int r = GREEN_REAL(pthread_timedjoin_np)(thread, value, until);
  if (r == 0 && Started()) LetGo(SlotOf(thread));
  return r;
}

GREEN_EXPORT int pthread_clockjoin_np(pthread_t thread, void** value, clockid_t clock,
                                      const timespec* until) {
  const int r = GREEN_REAL(pthread_clockjoin_np)(thread, value, clock, until);
  if (r == 0 && Started()) LetGo(SlotOf(thread));
  return r;
}

GREEN_EXPORT int pthread_detach(pthread_t thread) noexcept {
  const int r = GREEN_REAL(pthread_detach)(thread);
  if (r == 0 && Started()) LetGo(SlotOf(thread));
  return r;
}

// C11 threads get libc's own stacks: thrd_create passes no attributes that could name another.
GREEN_EXPORT int thrd_create(thrd_t* thread, thrd_start_t start, void* arg) {
  EnsureStarted();
  return GREEN_REAL(thrd_create)(thread, start, arg);
}

GREEN_EXPORT int pthread_setattr_default_np(const pthread_attr_t* attr) noexcept {
  const int r = GREEN_REAL(pthread_setattr_default_np)(attr);
  if (r == 0) g_default_attr_changed.store(true, std::memory_order_relaxed);
  return r;
}

// libc knows no guard of a stack that it was given; the pool's has one. The scope is what it is.
GREEN_EXPORT int pthread_getattr_np(pthread_t thread, pthread_attr_t* attr) noexcept {
  const int r = GREEN_REAL(pthread_getattr_np)(thread, attr);
  if (r || !Started()) return r;
  if (StackSlot* slot = SlotOf(thread)) pthread_attr_setguardsize(attr, StackGuardOf(slot));
  GreenSection inside;
  if (!TellsScopesApart()) return r;
  if (const Task* t = TaskOf(thread)) SetScope(attr, t->bound ? Scope::kSystem : Scope::kProcess);
  return 0;
}

// libc writes another thread's name through /proc/self/task/TID, which has kernel threads only.
GREEN_EXPORT int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  if (!Started() || thread == pthread_self()) return GREEN_REAL(pthread_setname_np)(thread, name);
  size_t n = 0;
  while (n < 16 && name[n]) ++n;
  if (n == 16) return ERANGE;
  char padded[16] = {};
  for (size_t i = 0; i < n; ++i) padded[i] = name[i];
  GreenSection inside;
  Task* t = FindTaskByPthread(thread);
  if (!t) return ENOENT;
  SetTaskName(t, padded);
  return 0;
}

GREEN_EXPORT int pthread_getname_np(pthread_t thread, char* name, size_t size) noexcept {
  if (!Started() || thread == pthread_self())
    return GREEN_REAL(pthread_getname_np)(thread, name, size);
  if (size < 16) return ERANGE;
  GreenSection inside;
  Task* t = FindTaskByPthread(thread);
  if (!t) return ENOENT;
  for (size_t i = 0; i < 16; ++i) name[i] = t->name[i];
  return 0;
}
