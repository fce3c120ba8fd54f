#include "sched/stack_pool.h"

#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/check.h"
#include "base/raw_syscall.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace green {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kChunkSize = 1ul << 30;
constexpr uintptr_t kArenaBase = 0x200000000000ul;  // 32 TiB: far from program and libraries
constexpr uint32_t kMaxChunks = 1u << 14;           // 16 TiB
constexpr int kMaxClasses = 64;

// Slots of one stride and one guard.
struct SizeClass {
  size_t stride = 0;
  size_t guard = 0;
  SpinLock lock;
  StackSlot* free = nullptr;
  uint32_t chunk = 0;  // being carved
  size_t carved = 0;   // slots of it handed out so far
  bool has_chunk = false;
};

struct Chunk {
  SizeClass* size_class;
  StackSlot* slots;  // metadata, by index
};

SizeClass g_classes[kMaxClasses];
std::atomic<int> g_class_count{0};
SpinLock g_class_lock;
Chunk g_chunks[kMaxChunks];
std::atomic<uint32_t> g_chunk_count{0};
std::atomic<bool> g_no_guard_install{false};
std::atomic<int> g_protection{PROT_READ | PROT_WRITE};

uintptr_t ChunkBase(uint32_t i) { return kArenaBase + i * kChunkSize; }

SizeClass* ClassFor(size_t stride, size_t guard) {
  int n = g_class_count.load(std::memory_order_acquire);
  for (int i = 0; i < n; ++i)
    if (g_classes[i].stride == stride && g_classes[i].guard == guard) return &g_classes[i];
  LockGuard hold(g_class_lock);
  const int now = g_class_count.load(std::memory_order_relaxed);
  for (int i = n; i < now; ++i)
    if (g_classes[i].stride == stride && g_classes[i].guard == guard) return &g_classes[i];
  if (now == kMaxClasses) return nullptr;  // libc makes such a stack itself
  g_classes[now].stride = stride;
  g_classes[now].guard = guard;
  g_class_count.store(now + 1, std::memory_order_release);
  return &g_classes[now];
}

// Under c's lock.
bool NewChunk(SizeClass* c) {
  uint32_t i;
  int protection;
  for (;;) {
    i = g_chunk_count.fetch_add(1, std::memory_order_relaxed);
    if (i >= kMaxChunks) {
      g_chunk_count.store(kMaxChunks, std::memory_order_relaxed);
      return false;
    }
    protection = g_protection.load(std::memory_order_relaxed);
    const long p = RawSyscall(
        SYS_mmap, ChunkBase(i), kChunkSize, protection,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == -17) continue;  // EEXIST: the program has something there
    if (IsError(p)) return false;
    if (static_cast<uintptr_t>(p) != ChunkBase(i)) {  // a kernel before 4.17 ignores the flag
      RawSyscall(SYS_munmap, p, kChunkSize);
      return false;
    }
    break;
  }
  RawSyscall(SYS_madvise, ChunkBase(i), kChunkSize, MADV_NOHUGEPAGE);
  const size_t slots = kChunkSize / c->stride;
  const long meta = RawSyscall(SYS_mmap, 0, slots * sizeof(StackSlot), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (IsError(meta)) {
    RawSyscall(SYS_munmap, ChunkBase(i), kChunkSize);
    return false;
  }
  g_chunks[i].size_class = c;  // first: slots tell that the chunk is in use
  __atomic_store_n(&g_chunks[i].slots, reinterpret_cast<StackSlot*>(meta), __ATOMIC_SEQ_CST);
  // Who changes it sees this chunk, or the change is seen here.
  if (const int now = g_protection.load(std::memory_order_seq_cst); now != protection)
    RawSyscall(SYS_mprotect, ChunkBase(i), kChunkSize, now);
  c->chunk = i;
  c->carved = 0;
  c->has_chunk = true;
  return true;
}

bool Guard(uintptr_t at, size_t size) {
  if (!g_no_guard_install.load(std::memory_order_relaxed)) {
    const long r = RawSyscall(SYS_madvise, at, size, MADV_GUARD_INSTALL);
    if (!IsError(r)) return true;
    g_no_guard_install.store(true, std::memory_order_relaxed);
  }
  return !IsError(RawSyscall(SYS_mprotect, at, size, PROT_NONE));
}

}  // namespace

StackRange TakeStack(size_t size, size_t guard) {
  constexpr StackRange kNone = {nullptr, nullptr, 0};
  size = (size + kPage - 1) & ~(kPage - 1);
  guard = (guard + kPage - 1) & ~(kPage - 1);
  const size_t stride = size + guard;
  if (stride > kChunkSize || stride < size || size == 0) return kNone;
  SizeClass* c = ClassFor(stride, guard);
  if (!c) return kNone;
  StackSlot* slot;
  uint32_t index;
  {
    LockGuard hold(c->lock);
    slot = c->free;
    if (slot) {
      c->free = slot->next_free;
      index = slot->chunk;
    } else {
      if (!c->has_chunk || c->carved >= kChunkSize / stride)
        if (!NewChunk(c)) return kNone;
      index = c->chunk;
      slot = g_chunks[index].slots + c->carved++;
      slot->chunk = index;
    }
  }
  slot->done.store(0, std::memory_order_relaxed);
  const size_t i = static_cast<size_t>(slot - g_chunks[index].slots);
  const uintptr_t low = ChunkBase(index) + i * stride;
  if (guard && !slot->guarded) {
    if (!Guard(low, guard)) {
      ReturnStack(slot);
      return kNone;
    }
    slot->guarded = true;
  }
  return {slot, reinterpret_cast<void*>(low + guard), size};
}

void ReturnStack(StackSlot* slot) {
  SizeClass* c = g_chunks[slot->chunk].size_class;
  LockGuard hold(c->lock);
  slot->next_free = c->free;
  c->free = slot;
}

void FinishStack(StackSlot* slot, uint8_t event) {
  const uint8_t before = slot->done.fetch_or(event, std::memory_order_acq_rel);
  if ((before | event) == (StackSlot::kEnded | StackSlot::kLetGo) && !(before & event))
    ReturnStack(slot);
}

StackSlot* StackSlotAt(const void* p) {
  const auto a = reinterpret_cast<uintptr_t>(p);
  if (a < kArenaBase) return nullptr;
  const size_t i = (a - kArenaBase) / kChunkSize;
  if (i >= kMaxChunks || i >= g_chunk_count.load(std::memory_order_acquire)) return nullptr;
  Chunk& chunk = g_chunks[i];
  if (!chunk.slots) return nullptr;
  const size_t n = (a - ChunkBase(static_cast<uint32_t>(i))) / chunk.size_class->stride;
  if (n >= kChunkSize / chunk.size_class->stride) return nullptr;
  return chunk.slots + n;
}

size_t StackGuardOf(const StackSlot* slot) { return g_chunks[slot->chunk].size_class->guard; }

void MakeStacksExecutable() {
  constexpr int kProtection = PROT_READ | PROT_WRITE | PROT_EXEC;
  if (g_protection.exchange(kProtection, std::memory_order_seq_cst) == kProtection) return;
  const uint32_t n = g_chunk_count.load(std::memory_order_seq_cst);
  for (uint32_t i = 0; i < n && i < kMaxChunks; ++i) {
    if (!__atomic_load_n(&g_chunks[i].slots, __ATOMIC_SEQ_CST)) continue;
    SizeClass& c = *g_chunks[i].size_class;
    // Guards that were installed stay; those that are protections would be lost.
    LockGuard hold(c.lock);
    if (!g_no_guard_install.load(std::memory_order_relaxed)) {
      RawSyscall(SYS_mprotect, ChunkBase(i), kChunkSize, kProtection);
      continue;
    }
    for (size_t slot = 0; slot < kChunkSize / c.stride; ++slot)
      RawSyscall(SYS_mprotect, ChunkBase(i) + slot * c.stride + c.guard, c.stride - c.guard,
                 kProtection);
  }
}

void ResetStacksAfterFork(StackSlot* kept) {
  g_class_lock.Reset();
  const int classes = g_class_count.load(std::memory_order_relaxed);
  for (int i = 0; i < classes; ++i) {
    g_classes[i].lock.Reset();
    g_classes[i].free = nullptr;
  }
  const uint32_t n = g_chunk_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < n; ++i) {
    Chunk& chunk = g_chunks[i];
    if (!chunk.slots) continue;
    SizeClass* c = chunk.size_class;
    const size_t used = c->chunk == i ? c->carved : kChunkSize / c->stride;
    for (size_t k = 0; k < used; ++k) {
      StackSlot* slot = chunk.slots + k;
      if (slot == kept) continue;
      slot->chunk = i;  // the fork may have come while it was being carved
      slot->next_free = c->free;
      c->free = slot;
    }
  }
}

}  // namespace green
