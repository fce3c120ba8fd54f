#include "sched/slice.h"

#include "sched/state.h"

namespace green {
namespace {

constexpr int64_t kShortestNs = 1'000'000;  // the monitor's tick
constexpr int kTurnsInSlice = 5;
constexpr int kLongestInSlices = 10;
constexpr int kIdlePolicy = 5;  // SCHED_IDLE
constexpr int kLowestNice = 19;

std::atomic<bool> g_weights_differ{false};

// Steps from the process's own, which all its threads had at first.
int StepsFrom(int nice, int policy) {
  if (policy == kIdlePolicy && g_sched.policy != kIdlePolicy) return kLowestNice;
  return nice - g_sched.nice;
}

bool SpinnersAmongTurns() {
  return Ticks() < g_sched.spinners_until_ticks.load(std::memory_order_relaxed);
}

}  // namespace

int64_t SliceOf(const Worker* w, const Task* t) {
  const int64_t slice = g_sched.options.slice_ns;
  if (!g_weights_differ.load(std::memory_order_relaxed)) {
    const int64_t turn = slice / kTurnsInSlice;
    if (!SpinnersAmongTurns() || !(RunsTurn(w) || g_sched.turns.Size())) return slice;
    return turn > kShortestNs ? turn : kShortestNs;
  }
  int steps = t ? StepsFrom(t->nice, t->policy) : 0;
  int64_t ns = slice;
  for (; steps > 0 && ns > kShortestNs; --steps) ns = ns * 4 / 5;
  for (; steps < 0 && ns < slice * kLongestInSlices; ++steps) ns = ns * 5 / 4;
  return ns;
}

void NoteWeight(int nice, int policy) {
  if (StepsFrom(nice, policy)) g_weights_differ.store(true, std::memory_order_relaxed);
}

}  // namespace green
