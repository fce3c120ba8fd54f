// When output may be coloured, or redrawn.
#pragma once

namespace green::cli {

// True for a terminal, unless NO_COLOR is set and not empty (no-color.org) or TERM is
// "dumb".
bool ColourOn(int fd);

// Whether it is a terminal that can move its cursor.
bool CursorMoves(int fd);

}  // namespace green::cli
