// /proc/self/task as the program is to see it.
#pragma once

namespace green {

// fd is /proc/self/task or /proc/PID/task of this process.
bool IsTaskDirectory(int fd);

}  // namespace green
