// GREEN_BOUND=name,name*: the threads that are to be bound, by thread name or start symbol. Any
// thread may ask; nothing is changed after the start.
#pragma once

#include "sched/scheduler.h"

namespace green {

// True when `name` equals an entry of the list, or begins like one that ends in '*'.
bool MatchesName(const char* list, const char* name);
// The same with the list of the options.
inline bool IsBoundName(const char* name) { return MatchesName(Options().bound_names, name); }
inline bool AnyBoundNames() { return *Options().bound_names; }

}  // namespace green
