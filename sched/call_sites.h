// Where tasks waited, and which calls held carriers: counted by the place in the program, for the
// report at exit (GREEN_REPORT) and `green stats`. What the monitor finds blocked and the time that
// tasks are blocked (blocked_time.h) is always counted, the rest while SchedulerState::kReport is
// set.
#pragma once

#include <atomic>
#include <cstdint>

namespace green {

struct Carrier;
struct Task;

enum class SiteKind : uint8_t {
  kEmpty,
  kLock,     // a wait for a mutex; call: futex
  kHandoff,  // a call that is known to block
  kFound,    // a call that the monitor found to block
  kUnseen,   // the same, of one that libgreen does not treat, or of a page fault (call: kPageFault)
  kFutex,    // a wait for anything else of a futex: a condition, a semaphore, a thread's end
  kBlocked,  // time blocked in `call`, as sampled
  kBlockedMutex,  // the same, waiting for a mutex
};

struct CallSite {
  // Kind, call and the address to which the program's function is returned to; 0: free. Set once.
  std::atomic<uint64_t> key{0};
  std::atomic<uint64_t> count{0};  // of kBlocked and kBlockedMutex: samples
  std::atomic<uint64_t> time{0};   // ticks; of kBlocked and kBlockedMutex: ms

  SiteKind Kind() const { return static_cast<SiteKind>(Key() >> 60); }
  uint32_t Call() const { return Key() >> 48 & 0xfff; }
  uint64_t Address() const { return Key() & ((uint64_t{1} << 48) - 1); }

 private:
  uint64_t Key() const { return key.load(std::memory_order_relaxed); }
};

inline constexpr uint32_t kCallSites = 1024;
inline constexpr uint32_t kPageFault = 0xfff;  // no call
extern CallSite g_call_sites[kCallSites];
extern std::atomic<uint64_t> g_deepest_stack;  // bytes, of what waited while kReport was set
extern char g_deepest_name[16];

// By the carrier that runs t, inside libgreen, at its call; and when t goes on. Only if kReport is
// set.
void NoteFutexWait(Task* t);
void NoteHandedOff(Task* t);
void NoteGoesOn(Task* t);
// t, which does not run or is the caller, was blocked for ms in the call that it is in. Any
// carrier, inside libgreen.
void AddBlockedTime(const Task* t, uint64_t ms);
// The monitor; c's thread waits in the kernel with its task.
void NoteFoundBlocked(const Carrier* c);
void ResetCallSites();

}  // namespace green
