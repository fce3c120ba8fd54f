// The stack of any task, wherever it is.
#pragma once

#include <optional>

#include "inspect/target.h"
#include "inspect/unwind.h"

namespace green::inspect {

class StackReader {
 public:
  explicit StackReader(const Target& target);
  // Innermost first; empty when it cannot be had: the task went on, or its thread cannot be
  // stopped. A running task's thread is stopped meanwhile, about 50 us. One that went on and waits
  // again, or is ready, is looked at again: *task is then as it is now.
  std::vector<uint64_t> Of(const Snapshot& snapshot, TaskView* task);
  // The same of many, which costs less.
  std::vector<std::vector<uint64_t>> OfMany(const Snapshot& snapshot,
                                            const std::vector<TaskView*>& tasks);
  // Of a task that runs on this carrier now; *task_address is set to it. Nothing if the carrier
  // does not run; empty as above.
  std::optional<std::vector<uint64_t>> Running(const CarrierView& carrier, uint64_t* task_address);

  const std::string& Name(uint64_t address) { return modules_.Name(address); }
  // "name" of each frame, innermost first; a caller's name is that of the instruction before the
  // address it returns to.
  std::vector<std::string> Names(const std::vector<uint64_t>& frames);
  // The program's own function nearest to the innermost frame: outside libc, loader and libgreen.
  std::string Site(const std::vector<uint64_t>& frames);

 private:
  // Empty where one has gone on since it was looked at.
  std::vector<std::vector<uint64_t>> WalkParked(const std::vector<TaskView*>& tasks);
  void OfParked(const std::vector<TaskView*>& tasks, std::vector<size_t> which,
                std::vector<std::vector<uint64_t>>* all);
  const Target& target_;
  Modules modules_;
  Unwinder unwinder_;
};

}  // namespace green::inspect
