// Finds libgreen's tables in another process (sched/inspect.h tells how they are described).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inspect/maps.h"
#include "inspect/memory.h"
#include "sched/inspect.h"

namespace green::inspect {

enum class RuntimeState {
  kRunning,
  kNoLibrary,  // libgreen is not loaded
  kDormant,    // loaded, and the program runs natively: it has created no thread, or may not
  kOtherVersion,
  kCorrupt,  // the description makes no sense
};

struct Runtime {
  RuntimeState state = RuntimeState::kNoLibrary;
  Inspect tables = {};
  std::string path = {};  // of the library's file, as in /proc/PID/maps
};

Runtime FindRuntime(const Memory& memory, const std::vector<Mapping>& maps);

// Every offset lies within its object and every count within reason.
bool Plausible(const Inspect& tables);

}  // namespace green::inspect
