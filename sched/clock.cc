#include "sched/clock.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "base/raw_syscall.h"

namespace green {
namespace {

using ClockFn = int (*)(int, KernelTimespec*);
ClockFn g_vdso_clock = nullptr;

// One moment by both clocks.
struct Moment {
  uint64_t ticks;
  int64_t ns;
};
Moment g_start;

// The next best if the thread is interrupted between them again and again.
Moment Now() {
  constexpr uint64_t kUndisturbed = 10000;
  Moment m;
  for (int tries = 0; tries < 10; ++tries) {
    m.ticks = Ticks();
    m.ns = NowNs();
    if (Ticks() - m.ticks < kUndisturbed) break;
  }
  return m;
}

bool SameName(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

ClockFn FindInVdso(const char* base, const char* wanted) {
  auto ehdr = reinterpret_cast<const Elf64_Ehdr*>(base);
  auto phdr = reinterpret_cast<const Elf64_Phdr*>(base + ehdr->e_phoff);
  const Elf64_Dyn* dyn = nullptr;
  intptr_t bias = 0;
  for (int i = 0; i < ehdr->e_phnum; ++i) {
    if (phdr[i].p_type == PT_LOAD && phdr[i].p_offset == 0)
      bias = reinterpret_cast<intptr_t>(base) - static_cast<intptr_t>(phdr[i].p_vaddr);
    if (phdr[i].p_type == PT_DYNAMIC)
      dyn = reinterpret_cast<const Elf64_Dyn*>(base + phdr[i].p_offset);
  }
  if (!dyn) return nullptr;
  const Elf64_Sym* syms = nullptr;
  const char* strings = nullptr;
  const uint32_t* hash = nullptr;
  const uint32_t* gnu_hash = nullptr;
  for (; dyn->d_tag != DT_NULL; ++dyn) {
    const auto p = bias + static_cast<intptr_t>(dyn->d_un.d_ptr);
    if (dyn->d_tag == DT_SYMTAB) syms = reinterpret_cast<const Elf64_Sym*>(p);
    if (dyn->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(p);
    if (dyn->d_tag == DT_HASH) hash = reinterpret_cast<const uint32_t*>(p);
    if (dyn->d_tag == DT_GNU_HASH) gnu_hash = reinterpret_cast<const uint32_t*>(p);
  }
  if (!syms || !strings) return nullptr;
  uint32_t count = 0;
  if (hash) {
    count = hash[1];
  } else if (gnu_hash) {
    // The highest index is the end of the last bucket's chain.
    const uint32_t buckets = gnu_hash[0], offset = gnu_hash[1], bloom = gnu_hash[2];
    const uint32_t* bucket = gnu_hash + 4 + bloom * 2;
    const uint32_t* chain = bucket + buckets;
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets; ++i)
      if (bucket[i] > last) last = bucket[i];
    if (last >= offset) {
      while (!(chain[last - offset] & 1)) ++last;
      count = last + 1;
    }
  }
  for (uint32_t i = 0; i < count; ++i)
    if (syms[i].st_shndx != SHN_UNDEF && SameName(strings + syms[i].st_name, wanted))
      return reinterpret_cast<ClockFn>(bias + static_cast<intptr_t>(syms[i].st_value));
  return nullptr;
}

}  // namespace

void InitClock() {
  const auto base = reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR));
  if (base) g_vdso_clock = FindInVdso(base, "__vdso_clock_gettime");
  g_start = Now();
}

int64_t NsAtTicks(uint64_t ticks) {
  const Moment now = Now();
  const uint64_t total = now.ticks - g_start.ticks, since = now.ticks - ticks;
  if (since > total) return now.ns;  // not one counter for all CPUs
  return now.ns -
         static_cast<int64_t>(static_cast<unsigned __int128>(now.ns - g_start.ns) * since / total);
}

int64_t ClockNs(int clock_id) {
  KernelTimespec ts;
  const long r = g_vdso_clock && clock_id >= 0 ? g_vdso_clock(clock_id, &ts)
                                               : RawSyscall(SYS_clock_gettime, clock_id, &ts);
  return r == 0 ? ts.sec * 1000000000 + ts.nsec : -1;
}

}  // namespace green
