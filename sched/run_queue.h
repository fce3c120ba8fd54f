// One worker's run queue: a ring that its owner fills and everyone may empty (the design of Go's
// runtime/proc.go runq). No lock, and the owner's Push has no atomic read-modify-write.
//   tail: written by the owner only, with release after the slot is filled.
//   head: advanced by compare-and-swap (acquire-release), by owner and thieves alike. A slot is
//     read before the swap, and counts only if the swap succeeds; the owner refills it only after
//     it has seen the head beyond it (acquire load in Push).
//   shared: set once, by the owner. Until then thieves leave the queue alone, and the owner, alone,
//     advances the head by a plain store: with one worker a switch costs no locked instruction for
//     it. A thief that sees it set (acquire) sees the last such store, too.
#pragma once

#include <atomic>
#include <cstdint>

#include "sched/task.h"

namespace green {

// Unbounded and locked, for overflow and for enqueuers without a worker.
class GlobalQueue {
 public:
  void Push(Task* t) {
    LockGuard guard(lock_);
    t->queue_next = nullptr;
    if (tail_)
      tail_->queue_next = t;
    else
      head_ = t;
    tail_ = t;
    size_.store(size_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
  }
  Task* Pop() {
    Task* rest;
    return PopSome(1, &rest);
  }
  // The first, and a chain through queue_next of up to max - 1 that follow it.
  Task* PopSome(uint32_t max, Task** rest) {
    *rest = nullptr;
    if (!Size()) return nullptr;
    LockGuard guard(lock_);
    Task* first = head_;
    if (!first) return nullptr;
    uint32_t n = 1;
    Task* last = first;
    for (; n < max && last->queue_next; ++n) last = last->queue_next;
    head_ = last->queue_next;
    if (!head_) tail_ = nullptr;
    if (n > 1) {
      *rest = first->queue_next;
      last->queue_next = nullptr;
    }
    size_.store(size_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
    return first;
  }
  uint32_t Size() const { return size_.load(std::memory_order_seq_cst); }
  const void* SizeWord() const { return &size_; }  // for readers outside (inspect.h)
  bool MaybeAny() const { return size_.load(std::memory_order_relaxed) != 0; }
  void Reset() {
    lock_.Reset();
    head_ = tail_ = nullptr;
    size_.store(0, std::memory_order_relaxed);
  }

 private:
  SpinLock lock_;
  Task* head_ = nullptr;
  Task* tail_ = nullptr;
  std::atomic<uint32_t> size_{0};
};

class RunQueue {
 public:
  static constexpr uint32_t kCapacity = 256;

  // Owner. With a full ring to overflow, behind all that wait in both.
  void Push(Task* t, GlobalQueue& overflow) {
    const uint32_t head = head_.load(std::memory_order_acquire);
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (__builtin_expect(tail - head >= kCapacity, 0)) return overflow.Push(t);
    slots_[tail % kCapacity].store(t, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
  }

  // Owner.
  Task* Pop() {
    if (IsShared()) return Take();
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
    Task* t = slots_[head % kCapacity].load(std::memory_order_relaxed);
    head_.store(head + 1, std::memory_order_release);
    return t;
  }

  // Owner: others may steal from now on.
  void Share() { shared_.store(true, std::memory_order_release); }
  bool IsShared() const { return shared_.load(std::memory_order_acquire); }

  // The task n places behind the first, or null; for prefetching only: it may be gone.
  Task* Peek(uint32_t n) const {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (tail_.load(std::memory_order_relaxed) - head <= n) return nullptr;
    return slots_[(head + n) % kCapacity].load(std::memory_order_relaxed);
  }

  uint32_t Size() const {
    const uint32_t tail = tail_.load(std::memory_order_acquire);
    const uint32_t head = head_.load(std::memory_order_acquire);
    return tail - head > kCapacity ? 0 : tail - head;
  }

  // The thief's owner calls this: half of the victim's tasks move to its own queue, the first of
  // them is returned.
  Task* StealInto(RunQueue& mine, GlobalQueue& overflow) {
    Task* first = IsShared() ? Take() : nullptr;
    if (!first) return nullptr;
    for (uint32_t n = Size() / 2; n > 0; --n) {
      Task* t = Take();
      if (!t) break;
      mine.Push(t, overflow);
    }
    return first;
  }

  static constexpr size_t HeadOffset() { return offsetof(RunQueue, head_); }
  static constexpr size_t TailOffset() { return offsetof(RunQueue, tail_); }

  void Reset() {
    head_.store(0, std::memory_order_relaxed);
    tail_.store(0, std::memory_order_relaxed);
    shared_.store(false, std::memory_order_relaxed);
  }

 private:
  // Of a queue that is shared.
  Task* Take() {
    uint32_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      if (head == tail_.load(std::memory_order_acquire)) return nullptr;
      Task* t = slots_[head % kCapacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return t;
    }
  }

  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
  std::atomic<bool> shared_{false};
  std::atomic<Task*> slots_[kCapacity] = {};
};

}  // namespace green
