#include "syscalls/new_code.h"

#include <atomic>

#include "arch/x86_64/vector_state.h"

namespace green {
namespace {

// Looks after which a mapping counts as no object of the loader's.
constexpr int kMaxLooks = 1000;

std::atomic<int> g_looks_left{0};
std::atomic<bool> g_looking{false};
bool (*g_hook)() = nullptr;

}  // namespace

void SetNewCodeHook(bool (*hook)()) {
  g_hook = hook;
  g_looking.store(false, std::memory_order_relaxed);
}

void NoteCodeMapped() { g_looks_left.store(kMaxLooks, std::memory_order_relaxed); }

bool CodeMapped() { return g_looks_left.load(std::memory_order_relaxed) != 0; }

void LookAtNewCode() {
  // One at a time; the look itself may wait for the loader's lock, and so come by here again.
  if (g_looking.exchange(true, std::memory_order_acquire)) return;
  alignas(16) unsigned char area[kSseAreaSize];
  SaveSse(area);
  int left = g_looks_left.load(std::memory_order_relaxed);
  if (g_hook())
    g_looks_left.store(0, std::memory_order_relaxed);
  else if (left > 0)
    g_looks_left.compare_exchange_strong(left, left - 1, std::memory_order_relaxed);
  RestoreSse(area);
  g_looking.store(false, std::memory_order_release);
}

}  // namespace green
