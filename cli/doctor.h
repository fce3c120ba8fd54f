// green doctor [-- PROGRAM | PID]: whether libgreen can work here, and what to do.
#pragma once

#include "cli/command.h"

namespace green::cli {

Command AddDoctor(CLI::App& green);

// The hidden command that doctor itself runs under libgreen: makes a thread.
Command AddThreadProbe(CLI::App& green);

}  // namespace green::cli
