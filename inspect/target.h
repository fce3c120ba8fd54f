// A process under libgreen, opened for looking at.
#pragma once

#include <memory>
#include <string>

#include "inspect/snapshot.h"

namespace green::inspect {

class Target {
 public:
  // Null with *error saying why in one line: no such process, not allowed, not under libgreen, ...
  static std::unique_ptr<Target> Open(pid_t pid, std::string* error);

  pid_t pid() const { return pid_; }
  const Memory& memory() const { return memory_; }
  const Runtime& runtime() const { return runtime_; }
  const std::vector<Mapping>& maps() const { return maps_; }
  // True if files are mapped that were not, or elsewhere, or no longer: modules came or went.
  bool RefreshMaps();
  Snapshot Look(Detail detail = Detail::kTasks) const;
  Snapshot LookAtSome(uint32_t wanted, std::mt19937& random) const;  // TakeSample
  // Tasks by their addresses.
  Snapshot LookAt(const std::vector<uint64_t>& addresses) const;
  pid_t ThreadOf(const CarrierView& carrier) const;  // its number here; 0: none
  bool Alive() const;
  std::string Name() const;  // the process's, printable

 private:
  explicit Target(pid_t pid) : pid_(pid), memory_(pid) {}
  void AskKernel(Snapshot* s) const;
  pid_t pid_;
  bool own_numbers_ = false;
  ProcessMemory memory_;
  Runtime runtime_;
  std::vector<Mapping> maps_;
};

}  // namespace green::inspect
