// Whether libgreen can work on this machine, under the limits that green itself has.
#pragma once

#include <string>

#include "cli/doctor/findings.h"

namespace green::cli {

// Runs green itself under the library, with one thread.
Findings ExamineMachine(const std::string& library);

// The name of green's hidden command that makes the thread.
constexpr char kThreadProbe[] = "probe-thread";

}  // namespace green::cli
