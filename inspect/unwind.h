// Stacks of tasks, walked from outside.
#pragma once

#include <optional>
#include <vector>

#include "inspect/frame_rules.h"
#include "inspect/snapshot.h"

namespace green::inspect {

// Those of tasks that do not run: at their system calls, or where they gave their carriers up.
std::vector<std::optional<Registers>> RegistersOf(const Memory& memory, const Inspect& tables,
                                                  const std::vector<TaskView*>& tasks);

class Unwinder {
 public:
  Unwinder(const Memory& memory, Modules& modules);
  // Addresses of instructions, innermost first: the current one, then those behind the ones that
  // called, or that a signal interrupted. At most `limit`. What is wrong on the stack ends the
  // walk.
  std::vector<uint64_t> Walk(const Registers& registers, size_t limit = 96);
  // The same of a thread that is to be stopped but shortly: while it is, its stack is copied, as
  // far as a walk usually goes, and walked afterwards.
  void CopyStack(uint64_t rsp);
  // Of many that are walked one after another: of each the first part is copied, with few calls.
  void CopyStacks(const std::vector<uint64_t>& rsps);
  std::vector<uint64_t> WalkCopy(Registers registers, size_t limit = 96);

 private:
  bool IsSignalFrame(uint64_t ip);
  bool Interrupted(Registers* registers);

  Pages pages_;
  Modules& modules_;
  FrameRules rules_;
};

}  // namespace green::inspect
