#include "sched/thread_as_task.h"

#include "sched/monitor.h"

namespace green {

std::atomic<int> times_asked{0};
void AskToGiveWay() { ++times_asked; }

namespace {
void TakeToken(Task* t) { t->state.fetch_and(~Task::kToken, std::memory_order_acq_rel); }
bool HasToken(Task* t) { return t->state.load(std::memory_order_acquire) & Task::kToken; }
}  // namespace

void Park(WaitReason) {
  Task* t = CurrentTask();
  while (!HasToken(t)) t->state.wait(0);
  TakeToken(t);
}

void ParkUntil(WaitReason, int64_t deadline) {
  Task* t = CurrentTask();
  while (!HasToken(t) && NowNs() < deadline) std::this_thread::yield();
  TakeToken(t);
}

void Unpark(Task* t) {
  t->state.fetch_or(Task::kToken, std::memory_order_acq_rel);
  t->state.notify_one();
}

void UnparkLater(Task* t) { Unpark(t); }

}  // namespace green
