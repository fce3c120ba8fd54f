#include "sched/task.h"

#include <sys/mman.h>

#include <new>

#include "arch/x86_64/user_memory.h"
#include "base/check.h"
#include "base/raw_syscall.h"
#include "sched/describe.h"
#include "sched/monitor.h"

namespace green {
namespace {

constexpr uint32_t kChunkTasks = 256;
// Numbers stay below 2^28: libc packs them into clock numbers (clock_getcpuclockid), shifted by 3.
constexpr uint32_t kGenerations = 126;

// Locks that processes share hold their owner's number, so two processes' threads must not have the
// same one: each process begins elsewhere, by its own number (SpreadTaskNumbers).
uint32_t g_first_index = 0, g_first_generation = 0;

uint32_t NumberOf(uint32_t index, uint32_t generation) {
  return kFirstTid + (generation + g_first_generation) % kGenerations * kMaxTasks +
         (index + g_first_index) % kMaxTasks;
}
uint32_t IndexOf(uint32_t tid) { return (tid - kFirstTid + kMaxTasks - g_first_index) % kMaxTasks; }

SpinLock g_lock;
std::atomic<Task*> g_chunks[kMaxTasks / kChunkTasks];
std::atomic<uint32_t> g_used{0};  // slots ever handed out
Task* g_free = nullptr;
std::atomic<uint32_t> g_live{0};

// By the kernel's number: index + 1 of the bound task that has it, or had it.
using KernelNumbers = std::atomic<uint32_t>;
std::atomic<KernelNumbers*> g_kernel_numbers{nullptr};

KernelNumbers* TableOfKernelNumbers() {
  constexpr size_t kSize = sizeof(KernelNumbers) * kFirstTid;
  KernelNumbers* table = g_kernel_numbers.load(std::memory_order_acquire);
  if (table) return table;
  const long p = RawSyscall(SYS_mmap, 0, kSize, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (IsError(p)) return nullptr;
  if (g_kernel_numbers.compare_exchange_strong(table, reinterpret_cast<KernelNumbers*>(p)))
    return reinterpret_cast<KernelNumbers*>(p);
  RawSyscall(SYS_munmap, p, kSize);
  return table;
}

Task* SlotAt(uint32_t index) {
  Task* chunk = g_chunks[index / kChunkTasks].load(std::memory_order_acquire);
  return chunk ? chunk + index % kChunkTasks : nullptr;
}

}  // namespace

void SpreadTaskNumbers(uint32_t pid) {
  constexpr uint32_t kApart = 4096, kPlaces = kMaxTasks / kApart;
  g_first_index = pid % kPlaces * kApart;
  g_first_generation = pid / kPlaces % kGenerations;
}

Task* NewTask() {
  Task* t;
  {
    LockGuard guard(g_lock);
    t = g_free;
    if (t) {
      g_free = t->queue_next;
    } else {
      const uint32_t index = g_used.load(std::memory_order_relaxed);
      if (index >= kMaxTasks) return nullptr;
      auto& chunk = g_chunks[index / kChunkTasks];
      if (!chunk.load(std::memory_order_relaxed)) {
        const long p = RawSyscall(SYS_mmap, 0, sizeof(Task) * kChunkTasks, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (IsError(p)) return nullptr;
        chunk.store(reinterpret_cast<Task*>(p), std::memory_order_release);
      }
      t = new (SlotAt(index)) Task();
      t->index = index;
      g_used.store(index + 1, std::memory_order_release);
    }
  }
  t->generation = (t->generation + 1) % kGenerations;
  t->since_ms = CoarseMs();
  t->tid = NumberOf(t->index, t->generation);
  g_live.fetch_add(1, std::memory_order_relaxed);
  t->mask =
      ~SigSet{0};  // until it has its creator's: what came for it now nobody else would hear of
  std::atomic_signal_fence(std::memory_order_release);
  t->alive = true;
  return t;
}

uint32_t UseKernelNumber(Task* t, uint32_t number) {
  KernelNumbers* table = TableOfKernelNumbers();
  if (table) {
    t->tid = number;
    table[number].store(t->index + 1, std::memory_order_release);
  }
  return t->tid;
}

void TellNumber(const Task* t) {
  for (uint32_t* word : t->number_words)
    if (word) CopyOut(word, t->tid);
}

void FreeTask(Task* t) {
  g_live.fetch_sub(1, std::memory_order_relaxed);
  t->alive = false;
  // Not sooner: until then its CPU time is what it has run there, too (identity.cc).
  t->carrier.store(nullptr, std::memory_order_release);
  t->clear_child_tid = nullptr;
  t->robust_list = nullptr;
  t->name[0] = 0;
  t->pending.store(0, std::memory_order_relaxed);
  t->waiting_for.store(0, std::memory_order_relaxed);
  t->attention.store(false, std::memory_order_relaxed);
  t->signals = nullptr;
  t->altstack_base = nullptr;
  t->altstack_size = 0;
  t->altstack_flags = 2;
  t->entry_frame = t->stack = t->spawn_stack = nullptr;
  t->own_stack_base = t->own_stack_size = 0;
  t->cpu_ns = 0;
  t->switches = 0;
  t->frame = 0;
  t->queued_ns = 0;
  t->waits_at = nullptr;
  t->affinity = 0;
  t->policy = t->priority = t->nice = 0;
  t->bound = t->own_thread = false;
  t->interruptible = false;
  t->held_by_call = 0;
  t->wants_binding.store(false, std::memory_order_relaxed);
  t->scope = t->spawn_scope = Scope::kDefault;
  t->in_handler_mask = false;
  t->in_setxid_handler = false;
  t->save_vectors = 0;
  t->new_code_looks = 0;
  LockGuard guard(g_lock);
  t->queue_next = g_free;
  g_free = t;
}

Task* FindTask(uint32_t tid) {
  if (tid < kFirstTid) {  // the main thread has the process's own number
    Task* main = g_used.load(std::memory_order_acquire) ? SlotAt(0) : nullptr;
    if (main && main->alive && main->tid == tid) return main;
    const KernelNumbers* table = g_kernel_numbers.load(std::memory_order_acquire);
    const uint32_t place = table ? table[tid].load(std::memory_order_acquire) : 0;
    Task* t = place ? SlotAt(place - 1) : nullptr;
    return t && t->alive && t->tid == tid ? t : nullptr;
  }
  const uint32_t index = IndexOf(tid);
  if (index >= g_used.load(std::memory_order_acquire)) return nullptr;
  Task* t = SlotAt(index);
  return t->alive && t->tid == tid ? t : nullptr;
}

void ForEachTask(bool (*fn)(Task*, void*), void* arg) {
  const uint32_t used = g_used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i)
    if (!fn(SlotAt(i), arg)) return;
}

Task* FindTaskByPthread(uintptr_t fs_base) {
  struct Search {
    uintptr_t fs_base;
    Task* found;
  } search{fs_base, nullptr};
  ForEachTask(
      [](Task* t, void* arg) {
        auto s = static_cast<Search*>(arg);
        if (!t->alive || t->fs_base != s->fs_base) return true;
        s->found = t;
        return false;
      },
      &search);
  return search.found;
}

Task* FindSlotZero() { return SlotAt(0); }

uint32_t LiveTasks() { return g_live.load(std::memory_order_relaxed); }

void ResetTasksAfterFork(Task* survivor) {
  // Slots stay mapped; all but the survivor's contents are dropped, and it moves to slot 0.
  g_lock.Reset();
  g_free = nullptr;
  const SigSet mask = survivor->mask;
  const uintptr_t fs = survivor->fs_base;
  void* stack = survivor->stack;
  const uintptr_t own_base = survivor->own_stack_base;
  const size_t own_size = survivor->own_stack_size;
  void* alt_base = survivor->altstack_base;
  const size_t alt_size = survivor->altstack_size;
  const int alt_flags = survivor->altstack_flags;
  char name[16];
  for (int i = 0; i < 16; ++i) name[i] = survivor->name[i];
  Task* main = new (SlotAt(0)) Task();
  main->index = 0;
  main->mask = mask;
  main->fs_base = fs;
  main->stack = stack;
  main->own_stack_base = own_base;
  main->own_stack_size = own_size;
  main->altstack_base = alt_base;
  main->altstack_size = alt_size;
  main->altstack_flags = alt_flags;
  for (int i = 0; i < 16; ++i) main->name[i] = name[i];
  main->alive = true;
  g_used.store(1, std::memory_order_relaxed);
  g_live.store(1, std::memory_order_relaxed);
}

void DescribeTasks(Inspect* out) {
  out->task_chunks = reinterpret_cast<uint64_t>(g_chunks);
  out->tasks_used = reinterpret_cast<uint64_t>(&g_used);
  out->tasks_alive = reinterpret_cast<uint64_t>(&g_live);
  out->chunk_tasks = kChunkTasks;
  out->max_tasks = kMaxTasks;
  out->task = {
      .size = sizeof(Task),
      .state = offsetof(Task, state),
      .on_cpu = offsetof(Task, on_cpu),
      .reason = offsetof(Task, reason),
      .carrier = offsetof(Task, carrier),
      .fs_base = offsetof(Task, fs_base),
      .context = offsetof(Task, context),
      .frame = offsetof(Task, frame),
      .since_ms = offsetof(Task, since_ms),
      .switches = offsetof(Task, switches),
      .tid = offsetof(Task, tid),
      .generation = offsetof(Task, generation),
      .name = offsetof(Task, name),
      .alive = offsetof(Task, alive),
      .cpu_ns = offsetof(Task, cpu_ns),
      .deadline = offsetof(Task, timer) + offsetof(TimerNode, deadline),
      .timer = offsetof(Task, timer) + offsetof(TimerNode, heap),
      .clear_child_tid = offsetof(Task, clear_child_tid),
      .pending = offsetof(Task, pending),
      .mask = offsetof(Task, mask),
      .waiting_for = offsetof(Task, waiting_for),
      .bound = offsetof(Task, bound),
      .nice = offsetof(Task, nice),
      .policy = offsetof(Task, policy),
  };
}

}  // namespace green
