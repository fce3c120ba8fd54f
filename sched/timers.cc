#include "sched/timers.h"

namespace green {

TimerNode* TimerHeap::Meld(TimerNode* a, TimerNode* b) {
  if (!a) return b;
  if (!b) return a;
  if (b->deadline < a->deadline) {
    TimerNode* t = a;
    a = b;
    b = t;
  }
  b->prev = a;
  b->sibling = a->child;
  if (a->child) a->child->prev = b;
  a->child = b;
  return a;
}

TimerNode* TimerHeap::MergeSiblings(TimerNode* first) {
  // Left to right in pairs, then the pairs right to left; iterative, as stacks are small.
  TimerNode* pairs = nullptr;
  while (first) {
    TimerNode* a = first;
    TimerNode* b = a->sibling;
    first = b ? b->sibling : nullptr;
    a->sibling = a->prev = nullptr;
    if (b) b->sibling = b->prev = nullptr;
    TimerNode* m = Meld(a, b);
    m->sibling = pairs;
    pairs = m;
  }
  TimerNode* root = nullptr;
  while (pairs) {
    TimerNode* next = pairs->sibling;
    pairs->sibling = nullptr;
    root = Meld(root, pairs);
    pairs = next;
  }
  return root;
}

void TimerHeap::Add(TimerNode* n, int64_t deadline) {
  LockGuard guard(lock_);
  n->deadline = deadline;
  n->child = n->sibling = n->prev = nullptr;
  root_ = Meld(root_, n);
  n->heap.store(this, std::memory_order_release);
  NoteEarliest();
}

void TimerHeap::Remove(TimerNode* n) {
  TimerNode* sub = MergeSiblings(n->child);
  if (n == root_) {
    root_ = sub;
  } else {
    if (n->prev->child == n)
      n->prev->child = n->sibling;
    else
      n->prev->sibling = n->sibling;
    if (n->sibling) n->sibling->prev = n->prev;
    root_ = Meld(root_, sub);
  }
  n->child = n->sibling = n->prev = nullptr;
  n->heap.store(nullptr, std::memory_order_release);
  NoteEarliest();
}

bool TimerHeap::Cancel(TimerNode* n) {
  TimerHeap* heap = n->heap.load(std::memory_order_acquire);
  if (!heap) return false;
  LockGuard guard(heap->lock_);
  if (n->heap.load(std::memory_order_relaxed) != heap) return false;
  heap->Remove(n);
  return true;
}

TimerNode* TimerHeap::PopDue(int64_t now) {
  if (Earliest() > now) return nullptr;
  LockGuard guard(lock_);
  TimerNode* n = root_;
  if (!n || n->deadline > now) return nullptr;
  Remove(n);
  return n;
}

void TimerHeap::Reset() {
  lock_.Reset();
  root_ = nullptr;
  NoteEarliest();
}

}  // namespace green
