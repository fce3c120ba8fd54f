// What tasks meet at, by itself: run queue, timers, futex table, stacks (Google Benchmark).
//
//   bench/in_process [--benchmark_filter=REGEX] ...
//
// `threads` stands for workers; with more of them than CPUs, locks are held by ones that wait for a
// CPU, as in life.
#include <benchmark/benchmark.h>
#include <linux/futex.h>

#include <memory>
#include <vector>

#include "sched/futex_table.h"
#include "sched/run_queue.h"
#include "sched/stack_pool.h"
#include "sched/thread_as_task.h"
#include "sched/timers.h"

namespace green {
namespace {

// --- Run queue -----------------------------------------------------------------------------------

void PushAndPop(benchmark::State& state) {
  RunQueue queue;
  GlobalQueue overflow;
  std::vector<Task> tasks(static_cast<size_t>(state.range(0)));
  for (Task& t : tasks) queue.Push(&t, overflow);
  if (state.range(1)) queue.Share();
  for (auto _ : state) queue.Push(queue.Pop(), overflow);
}
BENCHMARK(PushAndPop)
    ->ArgNames({"tasks", "shared"})
    ->ArgsProduct({{1, RunQueue::kCapacity}, {0, 1}});

// Each takes half of what the other has, in turn: some 85 tasks, once it has settled.
void StealHalf(benchmark::State& state) {
  RunQueue queues[2];
  GlobalQueue overflow;
  std::vector<Task> tasks(RunQueue::kCapacity);
  for (RunQueue& queue : queues) queue.Share();
  for (Task& t : tasks) queues[0].Push(&t, overflow);
  for (int from = 0; auto _ : state) {
    RunQueue& thief = queues[!from];
    thief.Push(queues[from].StealInto(thief, overflow), overflow);
    from = !from;
  }
}
BENCHMARK(StealHalf);

GlobalQueue shared_queue;
Task shared_tasks[8];

void GlobalPushAndPop(benchmark::State& state) {
  Task* task = &shared_tasks[state.thread_index()];
  for (auto _ : state) {
    shared_queue.Push(task);
    while (!(task = shared_queue.Pop())) continue;
  }
}
BENCHMARK(GlobalPushAndPop)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

// --- Timers --------------------------------------------------------------------------------------

int64_t Pseudorandom(uint64_t* seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return static_cast<int64_t>(*seed >> 34);
}

// A time-out that does not come: added, then cancelled, beside so many others.
void AddAndCancel(benchmark::State& state) {
  TimerHeap heap;
  uint64_t seed = 1;
  std::vector<TimerNode> others(static_cast<size_t>(state.range(0)));
  for (TimerNode& n : others) heap.Add(&n, Pseudorandom(&seed));
  TimerNode own;
  for (auto _ : state) {
    heap.Add(&own, Pseudorandom(&seed));
    TimerHeap::Cancel(&own);
  }
  for (TimerNode& n : others) TimerHeap::Cancel(&n);
}
BENCHMARK(AddAndCancel)->Arg(0)->Arg(1000)->Arg(100'000);

// One that does: the earliest fires and is set again, later than the others on average.
void FireAndAdd(benchmark::State& state) {
  TimerHeap heap;
  uint64_t seed = 1;
  int64_t now = 0;
  std::vector<TimerNode> nodes(static_cast<size_t>(state.range(0)));
  for (TimerNode& n : nodes) heap.Add(&n, Pseudorandom(&seed));
  for (auto _ : state) {
    now = heap.Earliest();
    heap.Add(heap.PopDue(now), now + Pseudorandom(&seed));
  }
  for (TimerNode& n : nodes) TimerHeap::Cancel(&n);
}
BENCHMARK(FireAndAdd)->Arg(1)->Arg(1000)->Arg(100'000);

TimerHeap shared_heap;

// Tasks that moved to other workers cancel their timers in the heap of the one before.
void AddAndCancelInOneHeap(benchmark::State& state) {
  uint64_t seed = static_cast<uint64_t>(state.thread_index());
  TimerNode own;
  for (auto _ : state) {
    shared_heap.Add(&own, Pseudorandom(&seed));
    TimerHeap::Cancel(&own);
  }
}
BENCHMARK(AddAndCancelInOneHeap)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

// --- Futexes -------------------------------------------------------------------------------------

// Runs the benchmark's loop on a thread that counts as a task.
template <typename Loop>
void AsTask(Loop loop) {
  TaskThread(loop).Join();
}

alignas(64) uint32_t words[8 * 16];  // a cache line apart

// A post or unlock that finds nobody. `words` 1: all on the same.
void WakeNobody(benchmark::State& state) {
  uint32_t* word = &words[state.range(0) == 1 ? 0 : state.thread_index() % 8 * 16];
  AsTask([&] {
    for (auto _ : state) FutexWake(word, 1, FUTEX_BITSET_MATCH_ANY);
  });
}
BENCHMARK(WakeNobody)->Arg(1)->Arg(8)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

// A wait that finds the word changed, under the bucket's lock.
void WaitInVain(benchmark::State& state) {
  uint32_t* word = &words[state.range(0) == 1 ? 0 : state.thread_index() % 8 * 16];
  AsTask([&] {
    for (auto _ : state) FutexWait(word, 1, FUTEX_BITSET_MATCH_ANY, kNever);
  });
}
BENCHMARK(WaitInVain)->Arg(1)->Arg(8)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

// --- Stacks --------------------------------------------------------------------------------------

void TakeAndFinishStack(benchmark::State& state) {
  for (auto _ : state) {
    const StackRange s = TakeStack(64 << 10, 4096);
    FinishStack(s.slot, StackSlot::kEnded);
    FinishStack(s.slot, StackSlot::kLetGo);
  }
}
BENCHMARK(TakeAndFinishStack)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

}  // namespace
}  // namespace green
