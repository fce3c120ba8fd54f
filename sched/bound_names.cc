#include "sched/bound_names.h"

namespace green {

bool MatchesName(const char* list, const char* name) {
  while (*list) {
    const char* n = name;
    while (*list && *list != ',' && *list != '*' && *list == *n) ++list, ++n;
    const bool end = !*list || *list == ',';
    if (*list == '*' || (end && !*n && n != name)) return true;
    while (*list && *list != ',') ++list;
    if (*list) ++list;
  }
  return false;
}

}  // namespace green
