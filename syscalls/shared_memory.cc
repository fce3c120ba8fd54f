#include "syscalls/shared_memory.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>

#include "sched/futex_table.h"
#include "sched/stack_pool.h"
#include "syscalls/handlers.h"
#include "syscalls/new_code.h"
#include "syscalls/robust_list.h"

namespace green {
namespace {

struct Range {
  uintptr_t begin, end;
};
constexpr int kMaxRanges = 512;
SpinLock g_lock;
Range g_ranges[kMaxRanges];
std::atomic<int> g_count{0};
std::atomic<bool> g_overflow{false};  // too many to remember: any memory may be shared
const void* g_ours = nullptr;

void Add(uintptr_t begin, uintptr_t end) {
  LockGuard guard(g_lock);
  const int n = g_count.load(std::memory_order_relaxed);
  for (int i = 0; i < n; ++i) {
    Range& r = g_ranges[i];
    if (begin <= r.end && r.begin <= end) {  // touches: one range
      if (begin < r.begin) r.begin = begin;
      if (end > r.end) r.end = end;
      return;
    }
  }
  if (n == kMaxRanges) {
    g_overflow.store(true, std::memory_order_relaxed);
    return;
  }
  g_ranges[n] = {begin, end};
  g_count.store(n + 1, std::memory_order_release);
}

// "begin-end rwxs ..." -> the range, if shared.
void ParseLine(const char* line) {
  uintptr_t value[2] = {};
  int k = 0;
  for (; *line && *line != ' '; ++line) {
    if (*line == '-') {
      ++k;
      continue;
    }
    const int digit = *line <= '9' ? *line - '0' : *line - 'a' + 10;
    value[k] = value[k] << 4 | static_cast<uintptr_t>(digit);
  }
  if (*line && line[1] && line[2] && line[3] && line[4] == 's' &&
      value[0] != reinterpret_cast<uintptr_t>(g_ours))
    Add(value[0], value[1]);
}

}  // namespace

void NoteSharedVm() { green_futex_places.fetch_or(kVmShared, std::memory_order_relaxed); }

void NoteSharedRange(const void* begin, const void* end) {
  Add(reinterpret_cast<uintptr_t>(begin), reinterpret_cast<uintptr_t>(end));
}

void ResetSharedMemoryAfterFork() {
  g_lock.Reset();
  green_futex_places.fetch_and(static_cast<uint8_t>(~kVmShared), std::memory_order_relaxed);
}

bool IsSharedMemory(const void* p) {
  const int n = g_count.load(std::memory_order_acquire);
  if (__builtin_expect(n == 0, 1)) return false;
  if (StackSlotAt(p)) return false;
  if (g_overflow.load(std::memory_order_relaxed)) return true;
  const auto a = reinterpret_cast<uintptr_t>(p);
  LockGuard guard(g_lock);
  for (int i = 0; i < n; ++i)
    if (a >= g_ranges[i].begin && a < g_ranges[i].end) return true;
  return false;
}

bool SharesMemory() { return g_count.load(std::memory_order_acquire) != 0; }

void WakeInKernel(uint32_t* word) {
  const uint8_t elsewhere = FutexesElsewhere();
  if (elsewhere || IsSharedMemory(word)) RawSyscall(SYS_futex, word, FUTEX_WAKE, 1);
  if (elsewhere & kVmShared) RawSyscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

void FindSharedRanges(const void* ours) {
  g_ours = ours;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return;
  char text[4096];
  char line[128];
  int column = 0;
  for (;;) {
    const long n = RawSyscall(SYS_read, fd, text, sizeof text);
    if (n <= 0) break;
    for (long i = 0; i < n; ++i) {
      if (text[i] == '\n') {
        line[column] = 0;
        ParseLine(line);
        column = 0;
      } else if (column < 127) {
        line[column++] = text[i];
      }
    }
  }
  RawSyscall(SYS_close, fd);
}

long SysMmap(SyscallFrame& f) {
  const long r = RawOutside(f);
  if (!IsError(r) && (f.rdx & PROT_EXEC) && ArgInt(f, 4) >= 0) NoteCodeMapped();
  if (!IsError(r) && (f.r10 & MAP_SHARED)) {
    Add(static_cast<uintptr_t>(r), static_cast<uintptr_t>(r) + f.rsi);
    WatchRobustLists();
  }
  return r;
}

long SysShmat(SyscallFrame& f) {
  const long r = Raw(f);
  // Its size is not asked for: a futex in it lies within what the program was told, so a page
  // walk would be needed. One look at the maps tells exactly.
  if (!IsError(r)) {
    FindSharedRanges(g_ours);
    WatchRobustLists();
  }
  return r;
}

}  // namespace green
