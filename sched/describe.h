// What only the files that own a table can tell a reader of it (inspect.h). Private to sched.
#pragma once

#include "sched/inspect.h"

namespace green {

void DescribeTasks(Inspect* out);
void DescribeCarriers(Inspect* out);
void DescribeTrace(InspectTrace* out);
void DescribeSites(InspectSites* out);

// Fills in green_inspect and shows it; the tables must be in use from then on.
void ShowTables(int64_t started_ns);
// In a forked child, until its runtime starts.
void HideTables();

}  // namespace green
