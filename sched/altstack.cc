#include "sched/altstack.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {
namespace {

constexpr int kAutodisarm = 1 << 31;  // SS_AUTODISARM
constexpr size_t kSmallest = 2048;    // MINSIGSTKSZ

// The stack may be left without a word, and taken over by somebody else, if it disarms itself.
bool IsOn(const Task* t, uintptr_t sp) {
  return !(t->altstack_flags & kAutodisarm) && AltstackOf(t).Holds(sp);
}

void Remove(Task* t) {
  t->altstack_base = nullptr;
  t->altstack_size = 0;
  t->altstack_flags = SS_DISABLE;
}

}  // namespace

void NoteMainStack(Task* main_task) {
  if (main_task->own_stack_size) return;  // a child's is its forking thread's
  rlimit limit = {};
  RawSyscall(SYS_prlimit64, 0, RLIMIT_STACK, nullptr, &limit);
  const uintptr_t top = getauxval(AT_RANDOM);
  const size_t size = limit.rlim_cur < top ? limit.rlim_cur : top;
  main_task->own_stack_base = top - size;
  main_task->own_stack_size = size;
}

stack_t DescribeAltstack(const Task* t, uintptr_t sp) {
  const int state = !t->altstack_size ? SS_DISABLE : IsOn(t, sp) ? SS_ONSTACK : 0;
  return {t->altstack_base, state | (t->altstack_flags & kAutodisarm), t->altstack_size};
}

long SetAltstack(Task* t, const stack_t& wanted, uintptr_t sp) {
  if (IsOn(t, sp)) return -EPERM;
  const int mode = wanted.ss_flags & ~kAutodisarm;
  if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK) return -EINVAL;
  if (mode == SS_DISABLE) {
    Remove(t);
    return 0;
  }
  if (wanted.ss_size < kSmallest) return -ENOMEM;
  t->altstack_base = wanted.ss_sp;
  t->altstack_size = wanted.ss_size;
  t->altstack_flags = wanted.ss_flags & kAutodisarm;
  return 0;
}

stack_t SaveAltstack(Task* t) {
  const stack_t now = {t->altstack_base, t->altstack_flags, t->altstack_size};
  if (t->altstack_flags & kAutodisarm) Remove(t);
  return now;
}

}  // namespace green
