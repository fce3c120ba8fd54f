// Runs what works on a hostile process's data in a child process, so that neither a crash nor an
// endless loop there is the command's.
#pragma once

#include <functional>
#include <string>

namespace green::inspect {

// fn's return value, or 1 after a line on stderr when it crashed, or took longer than seconds
// (0: as long as it likes). Its output goes where the command's goes. SIGINT and SIGTERM to the
// command end it too, after fn was told by them.
int Guarded(int seconds, const std::function<int()>& fn);
// What fn returned, or nothing.
std::string GuardedText(int seconds, const std::function<std::string()>& fn);

// status, once standard output is written; 1, and a line that says why, if it could not be.
int Written(int status);

}  // namespace green::inspect
