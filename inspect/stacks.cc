#include "inspect/stacks.h"

#include "inspect/stop.h"

namespace green::inspect {
namespace {

constexpr int kLooks = 4;

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
  if (task->state == TaskState::kRunning && task->carrier >= 0) {
    uint64_t address;
    auto frames = Running(snapshot.carriers[task->carrier], &address);
    return frames && address == task->address ? *frames : std::vector<uint64_t>();
  }
  for (int look = 1;; ++look) {
    std::vector<uint64_t> frames = OfParked(*task);
    if (!frames.empty() || look == kLooks || task->carrier >= 0) return frames;
    auto now = LookAgain(target_.memory(), target_.runtime(), task->address);
    if (!now || now->tid != task->tid) return {};
    *task = std::move(*now);
  }
}

std::vector<uint64_t> StackReader::OfParked(const TaskView& task) {
  const std::optional<Registers> registers =
      RegistersOf(target_.memory(), target_.runtime().tables, task);
  if (!registers) return {};
  std::vector<uint64_t> frames = unwinder_.Walk(*registers);
  // Had it gone on meanwhile, this would be nobody's stack: it runs yet, or has run.
  const InspectTask& t = target_.runtime().tables.task;
  uint64_t carrier = 0;
  uint32_t switches = 0;
  if (task.carrier < 0 && target_.memory().Read(task.address + t.carrier, &carrier) && carrier)
    return {};
  target_.memory().Read(task.address + t.switches, &switches);
  return switches == task.switches ? frames : std::vector<uint64_t>();
}

std::optional<std::vector<uint64_t>> StackReader::Running(const CarrierView& carrier,
                                                          uint64_t* task_address) {
  *task_address = 0;
  const pid_t tid = target_.ThreadOf(carrier);
  if (tid <= 0 || !CanBeStopped(target_.pid(), tid)) return {};
  Registers registers;
  const bool stopped = WithStopped(tid, [&](const Registers& now) {
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
