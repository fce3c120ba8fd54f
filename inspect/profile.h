// Samples of stacks over time, added up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "inspect/stacks.h"

namespace green::inspect {

enum class ProfileKind {
  kOnCpu,   // tasks that run: weight is time on a CPU
  kOffCpu,  // tasks that wait: weight is time waited
  kWall,    // both
};

// Outermost first: the task's name, its functions, and where it waits a last one that says for
// what: "[futex]". The weight is in ns.
using Folded = std::map<std::vector<std::string>, uint64_t>;

struct Profile {
  ProfileKind kind = ProfileKind::kOnCpu;
  double hz = 0;
  int64_t duration_ns = 0;
  uint64_t samples = 0;  // moments at which was looked
  uint64_t missed = 0;   // stacks that could not be had
  Folded stacks;
};

// Looks hz times a second, for `seconds` or until *stop or the process's end.
Profile TakeProfile(Target& target, ProfileKind kind, double hz, double seconds,
                    const volatile bool* stop);

}  // namespace green::inspect
