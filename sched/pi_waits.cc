#include "sched/pi_waits.h"

#include <linux/futex.h>

#include <atomic>

#include "arch/x86_64/user_memory.h"
#include "base/spin_lock.h"

namespace green {
namespace {

SpinLock g_lock;
ListHead g_waits;
std::atomic<uint32_t> g_count{0};  // so that the end of a thread is a look at it

}  // namespace

PiWait::PiWait(uint32_t* word) : word_(word) {
  // Here: counted, then the owner is looked up. There: the owner is gone, then the count is read.
  g_count.fetch_add(1, std::memory_order_seq_cst);
  LockGuard guard(g_lock);
  g_waits.PushBack(this);
}

PiWait::~PiWait() {
  LockGuard guard(g_lock);
  Unlink();
  g_count.fetch_sub(1, std::memory_order_relaxed);
}

uint32_t* AwaitedOf(uint32_t tid) {
  if (!g_count.load(std::memory_order_seq_cst)) return nullptr;
  LockGuard guard(g_lock);
  for (ListNode* p = g_waits.Front(); p && p != g_waits.End(); p = p->next) {
    uint32_t* word = static_cast<PiWait*>(p)->word_;
    uint32_t v;
    if (green_load32(word, &v) && (v & FUTEX_TID_MASK) == tid) return word;
  }
  return nullptr;
}

void ResetPiWaitsAfterFork() {
  g_lock.Reset();
  g_waits.node.next = g_waits.node.prev = nullptr;
  g_count.store(0, std::memory_order_relaxed);
}

}  // namespace green
