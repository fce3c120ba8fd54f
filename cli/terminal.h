// When output may be coloured.
#pragma once

namespace green::cli {

// True for a terminal, unless NO_COLOR is set and not empty (no-color.org) or TERM is
// "dumb".
bool ColourOn(int fd);

}  // namespace green::cli
