#include "cli/trace_json.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "inspect/waits.h"

namespace green::cli {
namespace {

// Tracks of workers are those of a process with this much added to its number.
constexpr int64_t kWorkersPid = 1'000'000'000;

enum class State { kUnknown, kRunning, kWaiting, kReady, kInKernel, kEnded };

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : inspect::Printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// Nanoseconds as the format's microseconds.
struct Us {
  explicit Us(int64_t ns) {
    const auto size = static_cast<uint64_t>(std::abs(ns));
    std::snprintf(text, sizeof text, "%s%" PRIu64 ".%03" PRIu64, ns < 0 ? "-" : "", size / 1000,
                  size % 1000);
  }
  char text[32];
};

// One process's events turned into slices. Times are in nanoseconds.
class Timeline {
 public:
  Timeline(TracedProcess& process, const inspect::TickClock& clock, std::FILE* file, bool* first,
           uint64_t* flows)
      : process_(process), clock_(clock), file_(file), first_(first), flows_(flows) {}

  void Write() {
    std::stable_sort(process_.events.begin(), process_.events.end(),
                     [](const auto& a, const auto& b) { return a.event.ticks < b.event.ticks; });
    for (const auto& [event, worker] : process_.events) TakeName(event);
    for (const auto& [tid, label] : process_.waits) {
      Track& t = tracks_[tid];
      t.state = State::kWaiting;
      t.label = label;
      t.since = At(process_.begin);
    }
    for (const inspect::TracedEvent& e : process_.events) Take(e);
    for (auto& [tid, t] : tracks_)
      if (t.seen) Close(tid, t, last_);
    for (auto& [worker, run] : running_) EndRun(worker, last_);
    WriteNames();
  }

 private:
  struct Track {
    State state = State::kUnknown;
    bool seen = false;  // in an event
    int64_t since = 0;
    std::string label;
    uint64_t argument = 0;  // of the call that it waits in
    int worker = -1;
    bool woken_early = false;  // while it was still on its way out
    uint32_t waker = 0;
    int64_t woken_at = 0;
  };
  struct Run {
    uint32_t task = 0;
    int64_t since = 0;
  };

  void Take(const inspect::TracedEvent& traced) {
    const TraceEvent& e = traced.event;
    const int64_t at = At(e.ticks);
    last_ = std::max(last_, at);
    Track& t = tracks_[e.task];
    t.seen = true;
    switch (e.kind) {
      case TraceKind::kSpawn:
        Instant(traced.worker, "spawn", e.task, at);
        Become(e.task, t, State::kReady, "ready", at);
        NoteWaker(t, e.other, at);
        break;
      case TraceKind::kRun: BeginRun(e.task, t, traced.worker, at); break;
      case TraceKind::kLeave: Leave(e, t, at); break;
      case TraceKind::kWake:
        if (t.state == State::kRunning)
          t.woken_early = true;
        else
          Become(e.task, t, State::kReady, "ready", at);
        NoteWaker(t, e.other, at);
        break;
      case TraceKind::kSteal: Instant(traced.worker, "steal", e.task, at); break;
      case TraceKind::kHandoff:
        Instant(traced.worker, "handoff", e.task, at);
        OffWorker(e.task, t, at);
        Become(e.task, t, State::kInKernel, "kernel: " + CallOf(e), at);
        t.argument = e.argument;
        break;
      case TraceKind::kRetake:
        Instant(static_cast<int>(e.other), "retaken", e.task, at);
        OffWorker(e.task, t, at);
        Become(e.task, t, State::kInKernel, "kernel", at);
        break;
      case TraceKind::kEnd:
        OffWorker(e.task, t, at);
        Become(e.task, t, State::kEnded, "", at);
        break;
      default: break;
    }
  }

  void Leave(const TraceEvent& e, Track& t, int64_t at) {
    using inspect::Reason;
    const Reason reason =
        e.reason < inspect::kReasons ? static_cast<Reason>(e.reason) : Reason::kNone;
    const int worker = t.worker;
    OffWorker(e.task, t, at);
    if (reason == Reason::kPreempted) Instant(worker, "preempt", e.task, at);
    if (reason == Reason::kPreempted || reason == Reason::kYield || t.woken_early)
      return Become(e.task, t, State::kReady, "ready", at);
    Become(e.task, t, State::kWaiting, std::string(NameOf(reason)) + ": " + CallOf(e), at);
    t.argument = e.argument;
  }

  void BeginRun(uint32_t tid, Track& t, int worker, int64_t at) {
    OffWorker(tid, t, at);
    Become(tid, t, State::kRunning, "running", at);
    t.worker = worker;
    if (t.waker) Arrow(t.waker, t.woken_at, tid, at);
    t.waker = 0;
    if (worker < 0) return;
    EndRun(worker, at);
    running_[worker] = {tid, at};
  }

  void OffWorker(uint32_t tid, Track& t, int64_t at) {
    auto run = running_.find(t.worker);
    if (run != running_.end() && run->second.task == tid) EndRun(t.worker, at);
    t.worker = -1;
  }

  void EndRun(int worker, int64_t at) {
    Run& run = running_[worker];
    if (!run.task) return;
    Slice(kWorkersPid + process_.pid, static_cast<uint32_t>(worker) + 1, "worker",
          NameOfTask(run.task), run.since, at);
    std::fprintf(file_, ",\"args\":{\"task\":%u}}", run.task);
    run.task = 0;
  }

  void Become(uint32_t tid, Track& t, State state, const std::string& label, int64_t at) {
    Close(tid, t, at);
    t.state = state;
    t.woken_early = false;
    t.argument = 0;
    t.label = label;
    t.since = at;
  }

  void Close(uint32_t tid, Track& t, int64_t at) {
    if (t.state == State::kUnknown || t.state == State::kEnded) return;
    Slice(process_.pid, tid, "task", t.label, t.since, at);
    if (t.argument) std::fprintf(file_, ",\"args\":{\"argument\":\"0x%" PRIx64 "\"}", t.argument);
    std::fputc('}', file_);
    t.since = at;
  }

  // An arrow only from a task that ran as far as is known: it must begin on a slice.
  void NoteWaker(Track& t, uint32_t waker, int64_t at) {
    auto from = tracks_.find(waker);
    t.waker = waker && from != tracks_.end() && from->second.state == State::kRunning ? waker : 0;
    t.woken_at = at;
  }

  void Begin() {
    if (!*first_) std::fputs(",\n", file_);
    *first_ = false;
  }

  // All but its arguments and its end. It ends a nanosecond before the next one begins: viewers add
  // its times as floating-point numbers, and take slices that overlap for nested ones, or drop
  // them.
  void Slice(int64_t pid, uint32_t tid, const char* category, const std::string& name, int64_t from,
             int64_t to) {
    Begin();
    std::fprintf(file_,
                 "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":%s,\"pid\":%" PRId64
                 ",\"tid\":%u,\"ts\":%s,\"dur\":%s",
                 category, Quoted(name).c_str(), pid, tid, Us(from).text,
                 Us(std::max<int64_t>(0, to - from - 1)).text);
  }

  void Instant(int worker, const char* what, uint32_t task, int64_t at) {
    if (worker < 0) return;
    Begin();
    std::fprintf(file_,
                 "{\"ph\":\"i\",\"s\":\"t\",\"cat\":\"scheduler\",\"name\":\"%s\",\"pid\":%" PRId64
                 ",\"tid\":%d,\"ts\":%s,\"args\":{\"task\":%u,\"name\":%s}}",
                 what, kWorkersPid + process_.pid, worker + 1, Us(at).text, task,
                 Quoted(NameOfTask(task)).c_str());
  }

  void Arrow(uint32_t from, int64_t from_at, uint32_t to, int64_t to_at) {
    const uint64_t id = ++*flows_;
    for (bool begin : {true, false}) {
      Begin();
      std::fprintf(file_,
                   "{\"ph\":\"%s\",\"cat\":\"wake\",\"name\":\"wake\",\"id\":%" PRIu64
                   ",\"pid\":%d,\"tid\":%u,\"ts\":%s}",
                   begin ? "s" : "f\",\"bp\":\"e", id, process_.pid, begin ? from : to,
                   Us(begin ? from_at : std::max(from_at, to_at)).text);
    }
  }

  void Label(const char* what, int64_t pid, uint32_t tid, const std::string& name) {
    Begin();
    std::fprintf(file_,
                 "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64
                 ",\"tid\":%u,\"args\":{\"name\":%s}}",
                 what, pid, tid, Quoted(name).c_str());
  }

  void WriteNames() {
    const std::string who = process_.name + " " + std::to_string(process_.pid);
    Label("process_name", kWorkersPid + process_.pid, 0, who + ": workers");
    Label("process_name", process_.pid, 0, who + ": tasks");
    for (int w = 0; w < process_.workers; ++w)
      Label("thread_name", kWorkersPid + process_.pid, static_cast<uint32_t>(w) + 1,
            "worker " + std::to_string(w));
    for (auto& [tid, t] : tracks_)
      if (t.seen) Label("thread_name", process_.pid, tid, NameOfTask(tid));
  }

  int64_t At(uint64_t ticks) const { return std::llround(clock_.Ns(ticks)); }

  void TakeName(const TraceEvent& e) {
    if (e.kind != TraceKind::kEnd) return;
    char name[kTraceName];
    std::memcpy(name, &e.reason, sizeof name);
    if (*name) process_.names[e.task] = std::string(name, strnlen(name, sizeof name));
  }

  std::string NameOfTask(uint32_t tid) const {
    auto known = process_.names.find(tid);
    return known == process_.names.end() || known->second.empty() ? "task " + std::to_string(tid)
                                                                  : known->second;
  }

  static std::string CallOf(const TraceEvent& e) {
    return e.call < 0 ? "?" : inspect::SyscallName(e.call);
  }

  TracedProcess& process_;
  const inspect::TickClock& clock_;
  std::FILE* file_;
  bool* first_;
  uint64_t* flows_;
  int64_t last_ = 0;
  std::unordered_map<uint32_t, Track> tracks_;
  std::map<int, Run> running_;
};

}  // namespace

bool WriteTrace(std::vector<TracedProcess>& processes, const inspect::TickClock& clock,
                std::FILE* file) {
  bool first = true;
  uint64_t flows = 0, lost = 0;
  std::fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
  for (TracedProcess& p : processes) {
    Timeline(p, clock, file, &first, &flows).Write();
    lost += p.lost;
  }
  std::fprintf(file, "\n],\"otherData\":{\"by\":\"green trace\",\"lost_events\":%" PRIu64 "}}\n",
               lost);
  return !std::ferror(file);
}

}  // namespace green::cli
