#include "inspect/target.h"

#include <signal.h>

#include <cerrno>

#include "inspect/stop.h"

namespace green::inspect {

std::unique_ptr<Target> Target::Open(pid_t pid, std::string* error) {
  const std::string who = "process " + std::to_string(pid);
  if (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH)) {
    *error = "no " + who;
    return nullptr;
  }
  std::unique_ptr<Target> target(new Target(pid));
  target->maps_ = ReadMaps(pid);
  const int denied = target->maps_.empty() ? EPERM : target->memory_.Probe(target->maps_[0].begin);
  if (denied == EPERM) {
    *error = "not allowed to look at " + who +
             ": it takes the rights that ptrace takes (its user or root; see also " +
             "/proc/sys/kernel/yama/ptrace_scope)";
    return nullptr;
  }
  target->runtime_ = FindRuntime(target->memory_, target->maps_);
  switch (target->runtime_.state) {
    case RuntimeState::kRunning: return target;
    case RuntimeState::kNoLibrary: *error = who + " does not run under libgreen"; break;
    case RuntimeState::kDormant:
      *error = who + " has libgreen loaded, but has created no thread or runs natively";
      break;
    case RuntimeState::kOtherVersion: *error = who + " runs another version of libgreen"; break;
    case RuntimeState::kCorrupt: *error = "libgreen's tables in " + who + " make no sense"; break;
  }
  return nullptr;
}

Snapshot Target::Look(Detail detail) const {
  Snapshot s = TakeSnapshot(memory_, runtime_, detail);
  for (TaskView& t : s.tasks) {
    if (!t.bound || t.carrier < 0 || t.state == TaskState::kInKernel) continue;
    const pid_t tid = OuterTid(pid_, s.carriers[t.carrier].tid);
    t.state = RunsNow(pid_, tid) ? TaskState::kRunning : TaskState::kInKernel;
    if (t.state == TaskState::kRunning) t.in_call = false;
  }
  return s;
}

bool Target::Alive() const { return kill(pid_, 0) == 0 || errno == EPERM; }

std::string Target::Name() const {
  std::string name = ReadProcFile("/proc/" + std::to_string(pid_) + "/comm", 64);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return Printable(name);
}

}  // namespace green::inspect
