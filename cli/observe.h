// What the commands that look at a running process share.
#pragma once

#include <memory>
#include <string>

#include "inspect/target.h"

namespace green::cli {

// Says why on stderr when there is nothing to look at; null then.
std::unique_ptr<inspect::Target> OpenTarget(int pid);

// "12 ms", "3.4 s", "5 min"; "-" for less than 0.
std::string Span(int64_t ms);
// Text for a JSON file or a name in other formats goes through the library; this is for tables.
std::string Fit(const std::string& text, size_t width);

}  // namespace green::cli
