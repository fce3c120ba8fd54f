// A profile in the forms that other tools and people read.
#pragma once

#include <string>

#include "inspect/profile.h"

namespace green::cli {

// One line a stack: frames from the outermost, joined by ";", a space, microseconds
// (github.com/brendangregg/FlameGraph, stackcollapse-*).
std::string FoldedText(const inspect::Profile& profile);
// A flamegraph in one HTML file that needs nothing else: click to zoom, search, hover.
std::string FlamegraphHtml(const inspect::Profile& profile, const std::string& title);
// github.com/google/pprof, proto/profile.proto, not compressed. program: its name.
std::string Pprof(const inspect::Profile& profile, const std::string& program);

const char* NameOf(inspect::ProfileKind kind);

}  // namespace green::cli
