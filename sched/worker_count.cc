#include "sched/worker_count.h"

#include <sys/syscall.h>

#include "base/raw_syscall.h"
#include "sched/affinity.h"
#include "sched/carriers.h"
#include "sched/cpu_quota.h"
#include "sched/identity.h"
#include "sched/monitor.h"

namespace green {
namespace {

constexpr int64_t kLookNs = 100'000'000;

std::atomic<bool> g_look_now{false};
int64_t g_looked_ns = 0;

struct CpuMask {
  uint64_t words[16] = {};
  uint32_t Count() const {
    uint32_t n = 0;
    for (uint64_t word : words) n += static_cast<uint32_t>(__builtin_popcountl(word));
    return n;
  }
  bool operator==(const CpuMask& other) const {
    for (int i = 0; i < 16; ++i)
      if (words[i] != other.words[i]) return false;
    return true;
  }
};
CpuMask g_mask;  // the process's, as last seen

// False when the thread is gone.
bool MaskOf(uint32_t tid, CpuMask* mask) {
  *mask = CpuMask();
  return RawSyscall(SYS_sched_getaffinity, tid, sizeof mask->words, mask->words) > 0;
}

// What some task may run on: a task without a mask of its own on all of the process's.
CpuMask UsableCpus() {
  if (!TasksHaveMasks()) return g_mask;
  struct Search {
    uint64_t own = 0;
    bool all = false;
  } search;
  ForEachTask(
      [](Task* t, void* arg) {
        auto s = static_cast<Search*>(arg);
        if (!t->alive) return true;
        s->own |= t->affinity;
        s->all |= t->affinity == 0;
        return true;
      },
      &search);
  CpuMask mask = search.all ? g_mask : CpuMask();
  mask.words[0] |= search.own;
  return mask;
}

uint32_t Wanted() {
  if (const uint32_t fixed = g_sched.options.workers) return fixed;
  uint32_t n = UsableCpus().Count();
  const uint32_t quota = CpusOfQuota("/proc/self/cgroup", "/sys/fs/cgroup");
  if (quota && quota < n) n = quota;
  if (n > kMaxWorkers) n = kMaxWorkers;
  return n ? n : 1;
}

void Prepare(uint32_t count) {
  for (uint32_t i = g_sched.worker_count.load(std::memory_order_relaxed); i < count; ++i) {
    Worker& w = g_sched.workers[i];
    w.id = i;
    w.polls_in.store(1, std::memory_order_relaxed);
    w.state.store(WorkerState::kRetired, std::memory_order_relaxed);
  }
  if (count > g_sched.worker_count.load(std::memory_order_relaxed))
    g_sched.worker_count.store(count, std::memory_order_release);
}

// Carriers of tasks without a mask of their own. One that has it already is not told, so that it
// goes on following its cpuset.
void GiveMaskToCarriers(const CpuMask& mask) {
  for (Carrier* c = FirstCarrier(); c; c = c->next_all) {
    CpuMask now;
    if (c->ended.load(std::memory_order_acquire) || c->affinity || !c->tid) continue;
    if (!c->bound && MaskOf(c->tid, &now) && !(now == mask))
      RawSyscall(SYS_sched_setaffinity, c->tid, sizeof mask.words, mask.words);
  }
}

// From outside, since the last look.
bool ProcessMaskChanged(CpuMask* mask) {
  const bool of_first = !TasksHaveMasks();
  return MaskOf(of_first ? g_sched.pid : 0, mask) && !(*mask == g_mask) &&
         of_first == !TasksHaveMasks();
}

void Employ(Worker* w) {
  w->state.store(WorkerState::kRunning, std::memory_order_relaxed);
  w->seen_since = 0;
  if (!GiveWorker(w)) w->state.store(WorkerState::kRetired, std::memory_order_relaxed);
}

}  // namespace

void CountWorkers() {
  MaskOf(0, &g_mask);
  NoteProcessAffinity(g_mask.words[0]);
  const uint32_t n = Wanted();
  g_sched.worker_count.store(0, std::memory_order_relaxed);
  Prepare(n);
  for (uint32_t i = 0; i < n; ++i)
    g_sched.workers[i].state.store(WorkerState::kRunning, std::memory_order_relaxed);
  g_sched.workers_wanted.store(n, std::memory_order_relaxed);
}

void FollowCpus(int64_t now) {
  if (g_sched.options.workers) return;
  const bool asked = g_look_now.exchange(false, std::memory_order_acquire);
  if (!asked && now - g_looked_ns < kLookNs) return;
  g_looked_ns = now;
  CpuMask mask;
  const bool changed = ProcessMaskChanged(&mask);
  if (changed) {
    g_mask = mask;
    NoteProcessAffinity(mask.words[0]);
    GiveMaskToCarriers(mask);
  }
  if (asked || changed) {
    const uint32_t n = Wanted();
    Prepare(n);
    g_sched.workers_wanted.store(n, std::memory_order_release);
  }
  const uint32_t wanted = g_sched.workers_wanted.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < g_sched.worker_count.load(std::memory_order_relaxed); ++i) {
    Worker* w = &g_sched.workers[i];
    if (i < wanted && w->state.load(std::memory_order_acquire) == WorkerState::kRetired) Employ(w);
  }
}

void CpusChanged() {
  if (g_sched.options.workers) return;
  g_look_now.store(true, std::memory_order_release);
  if (MonitorRests()) WakeMonitor();
}

void RetireWorker(Carrier* c, Worker* w) {
  if (Task* t = w->next.exchange(nullptr, std::memory_order_relaxed)) g_sched.global.Push(t);
  while (Task* t = w->queue.Pop()) g_sched.global.Push(t);
  c->worker = nullptr;
  w->carrier.store(nullptr, std::memory_order_relaxed);
  w->state.store(WorkerState::kRetired, std::memory_order_release);
  // For what it had, and for the wake-up that brought it here.
  WakeWorker();
}

}  // namespace green
