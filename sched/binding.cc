// Which kind a task is, and how a green one becomes bound.
#include "sched/bound_names.h"
#include "sched/credentials.h"
#include "sched/one_to_one.h"
#include "sched/state.h"

namespace green {

void LeaveFirstThread() {
  if (CurrentTask()->bound) return;
  constexpr int kMostTries = 3;
  for (int i = 0; i < kMostTries && CurrentCarrier()->tid == g_sched.pid; ++i) {
    EnterBlocking(true);
    LeaveBlocking();
  }
}

bool BindForGood() {
  Task* cur = CurrentTask();
  if (cur->own_thread) return true;
  // What the kernel keeps for that thread is to be the main task's.
  if (cur->tid != g_sched.pid) LeaveFirstThread();
  BeginCredentials();  // what all are to have this one has, too
  const bool bound = cur->bound || one_to_one::Bind();
  if (bound) {
    cur->own_thread = true;
    CurrentCarrier()->own_thread.store(true, std::memory_order_release);
    CurrentCarrier()->rescheduled = true;  // not as the others any more
  }
  EndCredentials();
  return bound;
}

void EndThreadToo() { CurrentCarrier()->ends_with_task = true; }

void NoteParent() {
  if (CurrentTask()->bound)
    EndThreadToo();
  else
    CurrentCarrier()->has_children = true;
}

bool ShouldBind(const Task* t) {
  if (t->own_thread) return true;
  switch (t->scope) {
    case Scope::kProcess: return false;
    case Scope::kSystem: return true;
    case Scope::kDefault: break;
  }
  return g_sched.options.one_to_one || IsRealTime(t->policy) || IsBoundName(t->name);
}

void RequestBinding(Task* t) {
  if (t->bound || t->scope == Scope::kProcess) return;
  t->wants_binding.store(true, std::memory_order_release);
  if (t == CurrentTask()) return ObeyBinding();
  // As for a signal: it comes to the end of its call.
  t->attention.store(true, std::memory_order_seq_cst);
  Unpark(t);
}

void ObeyBinding() {
  Task* cur = CurrentTask();
  if (__builtin_expect(!cur->wants_binding.load(std::memory_order_relaxed), 1)) return;
  cur->wants_binding.store(false, std::memory_order_relaxed);
  if (one_to_one::Bind() && IsRealTime(cur->policy)) one_to_one::ApplyPolicy(cur);
}

}  // namespace green
