#include "inspect/stacks.h"

#include "inspect/stop.h"

namespace green::inspect {
namespace {

constexpr int kLooks = 4;
constexpr size_t kAtOnce = 512;  // parked stacks that are copied, walked and checked together

// libgreen.so by where its stubs are: it may have been given another name.
bool IsPlumbing(const Module& module, const Inspect& tables) {
  if (tables.slots_begin >= module.begin && tables.slots_begin < module.end) return true;
  for (const char* prefix : {"libc.so", "libc-", "libpthread", "ld-linux", "[vdso]"})
    if (module.name.starts_with(prefix)) return true;
  return false;
}

}  // namespace

StackReader::StackReader(const Target& target)
    : target_(target),
      modules_(target.pid(), target.memory(), target.maps()),
      unwinder_(target.memory(), modules_) {}

std::vector<uint64_t> StackReader::Of(const Snapshot& snapshot, TaskView* task) {
  return std::move(OfMany(snapshot, {task})[0]);
}

std::vector<std::vector<uint64_t>> StackReader::OfMany(const Snapshot& snapshot,
                                                       const std::vector<TaskView*>& tasks) {
  std::vector<std::vector<uint64_t>> all(tasks.size());
  std::vector<size_t> parked;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i]->state == TaskState::kRunning && tasks[i]->carrier >= 0) {
      uint64_t address;
      auto frames = Running(snapshot.carriers[tasks[i]->carrier], &address);
      if (frames && address == tasks[i]->address) all[i] = std::move(*frames);
    } else {
      parked.push_back(i);
    }
    if (parked.size() < kAtOnce && i + 1 < tasks.size()) continue;
    OfParked(tasks, parked, &all);
    parked.clear();
  }
  return all;
}

// Those that have gone on are looked at again.
void StackReader::OfParked(const std::vector<TaskView*>& tasks, std::vector<size_t> which,
                           std::vector<std::vector<uint64_t>>* all) {
  for (int look = 1;; ++look) {
    std::vector<TaskView*> now;
    for (const size_t i : which) now.push_back(tasks[i]);
    auto stacks = WalkParked(now);
    std::vector<size_t> left;
    std::vector<uint64_t> addresses;
    for (size_t k = 0; k < which.size(); ++k) {
      TaskView* t = now[k];
      if (stacks[k].empty() && t->carrier < 0) {
        left.push_back(which[k]);
        addresses.push_back(t->address);
      }
      (*all)[which[k]] = std::move(stacks[k]);
    }
    if (left.empty() || look == kLooks) return;
    auto again = LookAgain(target_.memory(), target_.runtime(), addresses);
    which.clear();
    for (size_t k = 0; k < left.size(); ++k) {
      TaskView* t = tasks[left[k]];
      if (!again[k] || again[k]->tid != t->tid) continue;
      *t = std::move(*again[k]);
      which.push_back(left[k]);
    }
    if (which.empty()) return;
  }
}

std::vector<std::vector<uint64_t>> StackReader::WalkParked(const std::vector<TaskView*>& tasks) {
  const Memory& memory = target_.memory();
  const auto registers = RegistersOf(memory, target_.runtime().tables, tasks);
  std::vector<uint64_t> rsps;
  for (const auto& r : registers)
    if (r) rsps.push_back(r->rsp);
  unwinder_.CopyStacks(rsps);
  std::vector<std::vector<uint64_t>> all(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i)
    if (registers[i]) all[i] = unwinder_.WalkCopy(*registers[i]);
  // Had one gone on meanwhile, this would be nobody's stack: it runs yet, or has run, or ended and
  // left its place to another.
  const InspectTask& t = target_.runtime().tables.task;
  std::vector<uint64_t> carriers(tasks.size());
  std::vector<uint32_t> switches(tasks.size()), tids(tasks.size());
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tasks.size(); ++i) {
    pieces.push_back({tasks[i]->address + t.carrier, &carriers[i], sizeof carriers[i]});
    pieces.push_back({tasks[i]->address + t.switches, &switches[i], sizeof switches[i]});
    pieces.push_back({tasks[i]->address + t.tid, &tids[i], sizeof tids[i]});
  }
  memory.ReadMany(pieces);
  for (size_t i = 0; i < tasks.size(); ++i)
    if ((tasks[i]->carrier < 0 && carriers[i]) || switches[i] != tasks[i]->switches ||
        tids[i] != tasks[i]->tid)
      all[i].clear();
  return all;
}

std::optional<std::vector<uint64_t>> StackReader::Running(const CarrierView& carrier,
                                                          uint64_t* task_address) {
  *task_address = 0;
  const pid_t tid = target_.ThreadOf(carrier);
  int cpu;
  if (tid <= 0 || !CanBeStopped(target_.pid(), tid, &cpu)) return {};
  Registers registers;
  const bool stopped = WithStopped(tid, cpu, [&](const Registers& now) {
    registers = now;
    target_.memory().Read(carrier.address + target_.runtime().tables.carrier.task, task_address);
    unwinder_.CopyStack(now.rsp);
  });
  return stopped ? unwinder_.WalkCopy(registers) : std::vector<uint64_t>();
}

std::vector<std::string> StackReader::Names(const std::vector<uint64_t>& frames) {
  std::vector<std::string> names;
  for (size_t i = 0; i < frames.size(); ++i) names.push_back(Name(i ? frames[i] - 1 : frames[i]));
  return names;
}

std::string StackReader::Site(const std::vector<uint64_t>& frames) {
  for (size_t i = 0; i < frames.size(); ++i) {
    const Module* m = modules_.Find(frames[i]);
    if (m && !IsPlumbing(*m, target_.runtime().tables)) return Name(i ? frames[i] - 1 : frames[i]);
  }
  return frames.empty() ? "?" : Name(frames[0]);
}

}  // namespace green::inspect
