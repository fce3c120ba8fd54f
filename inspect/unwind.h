// Stacks of tasks, walked from outside with libunwind's remote accessors over process_vm_readv.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "inspect/modules.h"
#include "inspect/snapshot.h"

namespace green::inspect {

struct Registers {
  uint64_t rip = 0, rsp = 0, rbp = 0, rbx = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
};

// Those of a task that does not run: at its system call, or where it gave its carrier up.
std::optional<Registers> RegistersOf(const Memory& memory, const Inspect& tables,
                                     const TaskView& task);

class Unwinder {
 public:
  Unwinder(const Memory& memory, Modules& modules);
  ~Unwinder();
  // Addresses of instructions, innermost first: the current one, then those behind the ones that
  // called, or that a signal interrupted. At most `limit`. What is wrong on the stack ends the
  // walk.
  std::vector<uint64_t> Walk(const Registers& registers, size_t limit = 96);
  // The same of a thread that is to be stopped but shortly: while it is, its stack is copied, as
  // far as a walk usually goes, and walked afterwards.
  void CopyStack(uint64_t rsp);
  std::vector<uint64_t> WalkCopy(const Registers& registers, size_t limit = 96);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace green::inspect
