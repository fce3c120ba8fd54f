#include "sched/signal_nodes.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {
namespace {
SpinLock g_lock;
SignalNode* g_free = nullptr;
}  // namespace

SignalNode* NewSignalNode() {
  LockGuard guard(g_lock);
  if (!g_free) {
    constexpr size_t kBytes = 16 << 10;
    const long p =
        RawSyscall(SYS_mmap, 0, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (IsError(p)) return nullptr;
    auto nodes = reinterpret_cast<SignalNode*>(p);
    for (size_t i = 0; i < kBytes / sizeof(SignalNode); ++i) {
      nodes[i].next = g_free;
      g_free = &nodes[i];
    }
  }
  SignalNode* n = g_free;
  g_free = n->next;
  return n;
}

void FreeSignalNode(SignalNode* n) {
  LockGuard guard(g_lock);
  n->next = g_free;
  g_free = n;
}

void ResetSignalNodesAfterFork() { g_lock.Reset(); }

}  // namespace green
