#include "inspect/profile.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <unordered_map>

#include "inspect/stop.h"

namespace green::inspect {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// Stacks of parked tasks that are walked at one moment; of more, as many are drawn by lot. For
// that, so many tasks are read.
constexpr size_t kParkedAtOnce = 100;
constexpr uint32_t kReadAtOnce = 400;
constexpr int64_t kMapsEvery = kSecond;
// Looks take no more than one part in so many of a CPU, besides what the first ones take to read
// libraries: of thousands of tasks, each takes milliseconds, and what it reads leaves the caches of
// those that run. It then looks less often than it was asked to.
constexpr int64_t kBudget = 50, kStartUp = kSecond / 20;
// But so many times at the least, and once in so long.
constexpr int64_t kFewestLooks = 10, kLongestRest = 5 * kSecond;

int64_t Now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec ts;
  clock_gettime(clock, &ts);
  return ts.tv_sec * kSecond + ts.tv_nsec;
}

void SleepUntil(int64_t when) {
  const timespec ts = {when / kSecond, when % kSecond};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr);
}

class Sampler {
 public:
  Sampler(Target& target, Profile* profile)
      : target_(target), profile_(profile), reader_(new StackReader(target)) {}

  bool LookOnce(int64_t weight) {
    LetLateOnesGo();
    const bool parked = profile_->kind != ProfileKind::kOnCpu;
    Snapshot s =
        parked ? target_.LookAtSome(kReadAtOnce, random_) : target_.Look(Detail::kCounters);
    if (s.workers.empty()) return false;
    ++profile_->samples;
    if (profile_->kind != ProfileKind::kOffCpu) LookAtRunning(s, weight);
    if (parked) LookAtParked(s, weight);
    return true;
  }

  // Libraries that came or went since.
  void Refresh() {
    if (target_.RefreshMaps()) reader_ = std::make_unique<StackReader>(target_);
  }

 private:
  void Add(const std::string& task, const std::vector<uint64_t>& frames, const char* leaf,
           int64_t weight) {
    std::vector<std::string> path = reader_->Names(frames);
    path.push_back(task.empty() ? "(no name)" : task);
    std::reverse(path.begin(), path.end());
    if (leaf) path.push_back(std::string("[") + leaf + "]");
    profile_->stacks[path] += static_cast<uint64_t>(weight);
  }

  std::string NameAt(uint64_t task) {
    char name[16];
    const InspectTask& t = target_.runtime().tables.task;
    if (!task || !target_.memory().Read(task + t.name, name, sizeof name)) return "(scheduler)";
    return Printable(std::string_view(name, strnlen(name, sizeof name)));
  }

  void LookAtRunning(const Snapshot& s, int64_t weight) {
    for (const CarrierView& c : s.carriers) {
      if (c.helper || (c.worker < 0 && !c.task)) continue;
      // A look stands for the CPU time since the last: one that is ready to run, and waits for a
      // CPU, uses none.
      const pid_t tid = target_.ThreadOf(c);
      const int64_t cpu = profile_->kind == ProfileKind::kWall ? -1 : CpuNsOf(target_.pid(), tid);
      int64_t& seen = cpu_seen_.try_emplace(tid, std::max<int64_t>(0, cpu - weight)).first->second;
      if (cpu >= 0 && cpu <= seen) continue;
      uint64_t task;
      const auto frames = reader_->Running(c, &task);
      if (!frames) continue;
      if (frames->empty())
        ++profile_->missed;
      else
        Add(NameAt(task), *frames, nullptr, cpu < 0 ? weight : cpu - seen);
      seen = cpu;
    }
  }

  void LookAtParked(Snapshot& s, int64_t weight) {
    std::vector<TaskView*> parked;
    for (TaskView& t : s.tasks)
      if (t.state != TaskState::kRunning) parked.push_back(&t);
    double each = s.each;
    if (parked.size() > kParkedAtOnce) {
      each *= static_cast<double>(parked.size()) / static_cast<double>(kParkedAtOnce);
      std::vector<TaskView*> drawn;
      std::sample(parked.begin(), parked.end(), std::back_inserter(drawn), kParkedAtOnce, random_);
      parked.swap(drawn);
    }
    weight = static_cast<int64_t>(static_cast<double>(weight) * each);
    const auto stacks = reader_->OfMany(s, parked);
    for (size_t i = 0; i < parked.size(); ++i) {
      const TaskView* t = parked[i];
      if (stacks[i].empty()) {
        ++profile_->missed;
        continue;
      }
      const char* leaf = t->state == TaskState::kInKernel ? "kernel"
                         : t->state == TaskState::kReady  ? "ready"
                                                          : NameOf(t->reason);
      Add(t->name, stacks[i], leaf, weight);
    }
  }

  Target& target_;
  Profile* profile_;
  std::unique_ptr<StackReader> reader_;
  std::unordered_map<pid_t, int64_t> cpu_seen_;  // of a thread, at its last sample
  std::mt19937 random_{1};
};

}  // namespace

Profile TakeProfile(Target& target, ProfileKind kind, double hz, double seconds,
                    const volatile bool* stop) {
  Profile profile;
  profile.kind = kind;
  profile.hz = hz;
  const auto period = static_cast<int64_t>(static_cast<double>(kSecond) / hz);
  const int64_t begin = Now(), used_before = Now(CLOCK_THREAD_CPUTIME_ID);
  const int64_t end = begin + static_cast<int64_t>(seconds * static_cast<double>(kSecond));
  const int64_t longest_rest = std::min((end - begin) / kFewestLooks, kLongestRest);
  Sampler sampler(target, &profile);
  int64_t last = begin, maps_at = begin + kMapsEvery;
  std::mt19937 random(2);
  for (int64_t due = begin + period; due <= end && !*stop && target.Alive(); due += period) {
    // Not in step with what the program does by the clock.
    SleepUntil(due + static_cast<int64_t>(random() % static_cast<uint64_t>(period)) / 4);
    const int64_t now = Now();
    // Where looks are further apart than a period, each stands for the time since the last.
    if (!sampler.LookOnce(now - last)) break;
    last = now;
    const int64_t used = Now(CLOCK_THREAD_CPUTIME_ID) - used_before - kStartUp;
    const int64_t rested = std::max(due, begin - period + kBudget * used);
    due = std::min(rested, std::max(due, now - period + longest_rest));
    if (now > maps_at) {
      sampler.Refresh();
      maps_at = now + kMapsEvery;
    }
    if (Now() > due + period) due = Now();
  }
  LetLateOnesGo();
  profile.duration_ns = Now() - begin;
  return profile;
}

}  // namespace green::inspect
