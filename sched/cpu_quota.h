// CPU quota of the process's control groups (cgroups(7): cpu.max of version 2, cpu.cfs_quota_us of
// version 1; Documentation/admin-guide/cgroup-v2.rst), the tightest of the group and its ancestors.
#pragma once

#include <cstdint>

namespace green {

// In CPUs, rounded up, at least 1; 0 when there is none or it cannot be read. Any thread; reads
// files. membership: as /proc/self/cgroup; mount: where the hierarchies are mounted, as
// /sys/fs/cgroup.
uint32_t CpusOfQuota(const char* membership, const char* mount);

}  // namespace green
