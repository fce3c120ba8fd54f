// Where a process's tasks were blocked, in words.
#pragma once

#include <string>
#include <vector>

#include "inspect/stacks.h"

namespace green::cli {

struct BlockedPlace {
  std::string call;  // what the program called there: read, pthread_cond_wait; or mutex
  std::string from;  // its function
  uint64_t ms = 0, samples = 0;
};

// Heaviest first. Reads symbols of a process that may be hostile: see inspect/guarded.h.
std::vector<BlockedPlace> BlockedPlaces(const inspect::Target& target, const inspect::Snapshot& s,
                                        inspect::StackReader* reader);
// The function that returns to the address.
std::string PlaceAt(uint64_t address, inspect::StackReader* reader);

}  // namespace green::cli
