// The report at exit. Counters and call sites are sched's; names of calls are the table's.
#include <sys/syscall.h>

#include "arch/x86_64/call_target.h"
#include "arch/x86_64/user_memory.h"
#include "base/code_map.h"
#include "base/message.h"
#include "sched/call_sites.h"
#include "sched/monitor.h"
#include "syscalls/threads.h"

namespace green {
namespace {

constexpr uint32_t kShown = 10;  // of each kind

std::atomic<bool> g_reported{false};
uint64_t g_ticks_per_us = 1;

const char* CallName(uint32_t nr) {
  switch (nr) {
#define GREEN_SYSCALL(nr, name, treatment, handler, note) \
  case nr:                                                \
    return #name;
#include "syscalls/table.inc"
#undef GREEN_SYSCALL
    case kPageFault: return "page fault";
    default: return nullptr;
  }
}

class Line {
 public:
  Line() { m_ << "report: "; }
  ~Line() { m_.Write(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  template <typename T>
  Line& operator<<(T v) {
    m_ << v;
    return *this;
  }
  // "12.3 s" or "4 ms" of nanoseconds.
  Line& Time(uint64_t ns) {
    if (ns >= 10'000'000'000) return *this << ns / 1'000'000'000 << " s";
    if (ns >= 1'000'000'000)
      return *this << ns / 1'000'000'000 << "." << ns / 100'000'000 % 10 << " s";
    if (ns >= 1'000'000) return *this << ns / 1'000'000 << " ms";
    return *this << ns / 1000 << " us";
  }

 private:
  Message m_;
};

struct Totals {
  uint64_t spawned = 0, switches = 0, steals = 0, preemptions = 0, handoffs = 0;
  uint64_t run_ns = 0;
};

Totals Sum() {
  Totals sum;
  for (uint32_t i = 0; i < WorkerCount(); ++i) {
    const Worker& w = *WorkerAt(i);
    sum.spawned += w.spawned.load(std::memory_order_relaxed);
    sum.switches += w.switches.load(std::memory_order_relaxed);
    sum.steals += w.steals.load(std::memory_order_relaxed);
    sum.preemptions += w.preemptions.load(std::memory_order_relaxed);
    sum.handoffs += w.handoffs.load(std::memory_order_relaxed);
  }
  sum.run_ns = static_cast<uint64_t>(NowNs() - g_monitor.started_ns);
  return sum;
}

uint64_t NsOf(const CallSite& site) {
  return site.time.load(std::memory_order_relaxed) / g_ticks_per_us * 1000;
}

uint64_t Count(const CallSite& site) { return site.count.load(std::memory_order_relaxed); }

// What is worth most comes first: time where it was taken, else the number.
bool Outweighs(const CallSite& a, const CallSite& b) {
  const uint64_t x = NsOf(a), y = NsOf(b);
  return x != y ? x > y : Count(a) > Count(b);
}

// The next after `last` of a kind, by weight; null when there is none.
const CallSite* Heaviest(SiteKind kind, const CallSite* const* shown, uint32_t count) {
  const CallSite* best = nullptr;
  for (const CallSite& site : g_call_sites) {
    if (site.Kind() != kind || (best && !Outweighs(site, *best))) continue;
    bool seen = false;
    for (uint32_t i = 0; i < count; ++i) seen |= shown[i] == &site;
    if (!seen) best = &site;
  }
  return best;
}

// ", sem_wait": what the program called there.
void NameCalled(const CallSite& site, Line* line) {
  const uintptr_t function = CallTarget(site.Address(), [](void* to, uintptr_t address, size_t n) {
    return green_copy(to, reinterpret_cast<const void*>(address), n);
  });
  if (!function) return;
  char name[160];
  NameOfCode(function + 1, name, sizeof name);
  for (char* s = name; *s; ++s)
    if (*s == ' ') *s = 0;  // the library's name
  *line << ", " << static_cast<const char*>(name);
}

// Times in all; 0: there were none.
uint64_t ShowSites(SiteKind kind, const char* title) {
  uint64_t times = 0;
  uint32_t sites = 0;
  for (const CallSite& site : g_call_sites)
    if (site.Kind() == kind) times += Count(site), ++sites;
  if (!times) return 0;
  Line() << title;
  const CallSite* shown[kShown];
  for (uint32_t n = 0; n < kShown; ++n) {
    const CallSite* site = Heaviest(kind, shown, n);
    if (!site) break;
    shown[n] = site;
    char name[160] = "an unknown place";
    if (site->Address()) NameOfCode(site->Address(), name, sizeof name);
    Line line;
    line << "  " << Count(*site) << (Count(*site) == 1 ? " time" : " times");
    if (const uint64_t ns = NsOf(*site)) (line << ", ").Time(ns);
    if (kind == SiteKind::kFutex) {
      NameCalled(*site, &line);
    } else if (kind != SiteKind::kLock) {
      line << ", ";
      if (const char* call = CallName(site->Call()))
        line << call;
      else
        line << "call " << site->Call();
    }
    line << ", from " << name;
  }
  if (sites > kShown) Line() << "  and from " << sites - kShown << " more places";
  return times;
}

uint64_t LockNs() {
  uint64_t ns = 0;
  for (const CallSite& site : g_call_sites)
    if (site.Kind() == SiteKind::kLock) ns += NsOf(site);
  return ns;
}

void Advise(const Totals& sum, uint64_t handed_off, uint64_t found, uint64_t unseen) {
  const uint64_t seconds = sum.run_ns / 1'000'000'000 + 1;
  bool any = false;
  const auto say = [&any](const char* text) {
    Line() << "advice: " << text;
    any = true;
  };
  if (LockNs() > sum.run_ns)
    say("on average more than one thread waits for a lock: hold the first of them for a shorter "
        "time, or divide what it protects");
  if (unseen)
    say("some calls are not seen by libgreen, so others waited up to some milliseconds: `green "
        "doctor -- PROGRAM` names the code that makes them; GREEN_BOUND=NAME gives such threads an "
        "OS thread of their own");
  if (handed_off / seconds > 1000 || found / seconds > 100)
    say("many calls wait in the kernel, each on an OS thread: GREEN_BOUND=NAME for threads that do "
        "little else");
  if (sum.preemptions / seconds > 50 * WorkerCount())
    say("threads compute for long while others are ready: more CPUs would help; GREEN_SLICE sets "
        "how long a turn lasts");
  if (!any) Line() << "advice: nothing stands out";
}

void Report() {
  const uint64_t ticks_before = Ticks();
  const int64_t ns_before = NowNs();
  const KernelTimespec nap = {0, 2'000'000};
  RawSyscall(SYS_nanosleep, &nap, nullptr);
  g_ticks_per_us = (Ticks() - ticks_before) * 1000 / static_cast<uint64_t>(NowNs() - ns_before) + 1;
  const Totals sum = Sum();
  (Line() << "process " << static_cast<long>(RawSyscall(SYS_getpid)) << " ran ").Time(sum.run_ns)
      << " with " << sum.spawned << " threads created, on " << WorkerCount()
      << (WorkerCount() == 1 ? " worker" : " workers");
  Line() << sum.switches << " switches, " << sum.preemptions << " preemptions, " << sum.handoffs
         << " handoffs, " << sum.steals << " steals";
  ShowSites(SiteKind::kLock, "waits for mutexes:");
  ShowSites(SiteKind::kFutex, "waits for conditions, semaphores, other locks, ends of threads:");
  const uint64_t handed_off =
      ShowSites(SiteKind::kHandoff, "calls that were given an OS thread, as they block:");
  const uint64_t found =
      ShowSites(SiteKind::kFound, "calls that blocked after all, which the monitor found:");
  const uint64_t unseen =
      ShowSites(SiteKind::kUnseen,
                "what blocked an OS thread without libgreen's knowing, as the monitor found:");
  if (const uint64_t deepest = g_deepest_stack.load(std::memory_order_relaxed))
    Line() << "deepest stack seen in a wait: " << deepest / 1024 + 1 << " KiB, thread \""
           << g_deepest_name << "\"";
  Advise(sum, handed_off, found, unseen);
}

}  // namespace

void TellOfTheEnd() {
  if (Options().report && !g_reported.exchange(true, std::memory_order_relaxed)) Report();
  ShowTraceToItsEnd();
}

}  // namespace green
