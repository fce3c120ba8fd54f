#include "sched/credentials.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/check.h"
#include "base/raw_syscall.h"
#include "sched/carriers.h"
#include "sched/futex_table.h"
#include "sched/signals.h"
#include "sched/state.h"

namespace green {
namespace {

constexpr int64_t kPollNs = 1'000'000;
// Threads answer within microseconds, unless they are suspended as by vfork, for as long as that
// takes: then the changer lets other tasks run. A signal may fail for want of kernel memory.
constexpr int64_t kInPlaceNs = 5'000'000;
constexpr int64_t kSignalAgainNs = 20'000'000;

struct Request {
  long nr;
  long args[3];
};

std::atomic<uint32_t> g_tickets{0};  // turns are taken in order
std::atomic<uint32_t> g_turn{0};
uint32_t* TurnWord() { return reinterpret_cast<uint32_t*>(&g_turn); }
Request g_request;  // written by the changer while every thread is current
std::atomic<uint32_t> g_sequence{0};
std::atomic<uint32_t> g_answers{0};  // the changer sleeps on it

long Execute(const Request& r) { return RawSyscall(r.nr, r.args[0], r.args[1], r.args[2]); }

// True when all threads are current. The list must not have grown during the look: who creates
// a thread puts it there before it answers.
bool AllCurrent(uint32_t sequence, bool signal) {
  bool all = true;
  for (bool grown = true; all && grown;) {
    const uint32_t version = CarrierListVersion();
    for (Carrier* c = FirstCarrier(); c; c = c->next_all) {
      if (c->ended.load(std::memory_order_acquire)) continue;
      if (c->own_thread.load(std::memory_order_acquire)) continue;
      if (c->credentials.load(std::memory_order_acquire) == sequence) continue;
      all = false;
      // One that has not begun yet has no number: next time. A second signal finds nothing to do.
      if (signal) AskForAnswer(c);
    }
    grown = CarrierListVersion() != version;
  }
  return all;
}

void AwaitAll(uint32_t sequence) {
  const int64_t start = NowNs();
  int64_t signal_at = start;
  for (;;) {
    const int64_t now = NowNs();
    const uint32_t answers = g_answers.load(std::memory_order_acquire);
    if (AllCurrent(sequence, now >= signal_at)) return;
    if (now >= signal_at) signal_at = now + kSignalAgainNs;
    if (now - start < kInPlaceNs) {
      const KernelTimespec ts = {0, kPollNs};
      RawSyscall(SYS_futex, &g_answers, FUTEX_WAIT_PRIVATE, answers, &ts);
    } else {
      ParkUntil(WaitReason::kBlocked, now + kPollNs);
    }
  }
}

}  // namespace

void BeginCredentials() {
  const uint32_t ticket = g_tickets.fetch_add(1, std::memory_order_relaxed);
  for (uint32_t turn; (turn = g_turn.load(std::memory_order_acquire)) != ticket;)
    // A signal that comes meanwhile is handled when the call is over.
    if (FutexWait(TurnWord(), turn, FUTEX_BITSET_MATCH_ANY, kNever) == -EINTR)
      ParkUntil(WaitReason::kBlocked, NowNs() + kPollNs);
}

void EndCredentials() {
  g_turn.fetch_add(1, std::memory_order_release);
  FutexWake(TurnWord(), INT_MAX, FUTEX_BITSET_MATCH_ANY);
}

long ChangeCredentials(long nr, const long args[3]) {
  const Request request = {nr, {args[0], args[1], args[2]}};
  const long r = Execute(request);
  if (IsError(r)) return r;
  // Also from a thread that has its own: the others are to do the same.
  g_request = request;
  const uint32_t sequence = g_sequence.load(std::memory_order_relaxed) + 1;
  CurrentCarrier()->credentials.store(sequence, std::memory_order_release);
  g_sequence.store(sequence, std::memory_order_release);
  AwaitAll(sequence);
  return r;
}

bool AskForAnswer(Carrier* c) {
  LockGuard guard(c->kick_lock);
  if (c->in_exec) return false;
  SigInfo info = MakeSigInfo(kKickSignal, SI_QUEUE);
  return RawSyscall(SYS_rt_tgsigqueueinfo, g_sched.pid, __atomic_load_n(&c->tid, __ATOMIC_RELAXED),
                    kKickSignal, &info) == 0;
}

bool IsCredentialsKick(int signal_code) { return signal_code == SI_QUEUE; }

void FollowCredentials(Carrier* c) {
  if (c->own_thread.load(std::memory_order_relaxed)) return;
  const uint32_t sequence = g_sequence.load(std::memory_order_acquire);
  // Ahead is the changer itself, just before it publishes.
  if (static_cast<int32_t>(sequence - c->credentials.load(std::memory_order_relaxed)) <= 0) return;
  // What one thread was allowed the others are too; and a process of two minds must not go on.
  GREEN_CHECK(!IsError(Execute(g_request)));
  c->credentials.store(sequence, std::memory_order_release);
  g_answers.fetch_add(1, std::memory_order_release);
  RawSyscall(SYS_futex, &g_answers, FUTEX_WAKE_PRIVATE, 1);
}

void ResetCredentialsAfterFork() {
  g_turn.store(g_tickets.load(std::memory_order_relaxed), std::memory_order_relaxed);
  g_sequence.store(0, std::memory_order_relaxed);
}

}  // namespace green
