// Intrusive doubly linked list: a node that is in no list has next == nullptr.
#pragma once

#include <cstddef>

namespace green {

struct ListNode {
  ListNode* next = nullptr;
  ListNode* prev = nullptr;
  bool Linked() const { return next != nullptr; }
  void Unlink() {
    next->prev = prev;
    prev->next = next;
    next = prev = nullptr;
  }
};

// Zero-initialised heads are valid and empty (they live in .bss by the thousand).
struct ListHead {
  ListNode node;
  void Init() {
    if (!node.next) node.next = node.prev = &node;
  }
  bool Empty() const { return !node.next || node.next == &node; }
  void PushBack(ListNode* n) {
    Init();
    InsertBefore(&node, n);
  }
  // before: a node of this list, which is not empty, or its end.
  static void InsertBefore(ListNode* before, ListNode* n) {
    n->prev = before->prev;
    n->next = before;
    before->prev->next = n;
    before->prev = n;
  }
  ListNode* Front() { return Empty() ? nullptr : node.next; }
  ListNode* End() { return &node; }
};

}  // namespace green
