#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace green::cli {

bool ColourOn(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour && *no_colour) return false;
  return CursorMoves(fd);
}

bool CursorMoves(int fd) {
  const char* terminal = std::getenv("TERM");
  return isatty(fd) && terminal && *terminal && std::string_view(terminal) != "dumb";
}

}  // namespace green::cli
