#include "cli/compare/progress.h"

#include <unistd.h>

#include <cstdio>

#include "cli/compare/children.h"

namespace green::cli {

Progress::Progress(int steps) : steps_(steps), terminal_(isatty(STDERR_FILENO)), start_(Now()) {}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::Step(const std::string& what) {
  constexpr int kWidth = 30;
  if (terminal_) {
    const int full = kWidth * done_ / steps_;
    const std::string bar = std::string(static_cast<size_t>(full), '#') +
                            std::string(static_cast<size_t>(kWidth - full), '.');
    std::string left;
    if (done_ > 0) {
      const double seconds = (Now() - start_) / done_ * (steps_ - done_);
      left = ", " + std::to_string(static_cast<int>(seconds + 0.5)) + " s left";
    }
    std::fprintf(stderr, "\r\033[K[%s] %d/%d %s%s", bar.c_str(), done_ + 1, steps_, what.c_str(),
                 left.c_str());
    std::fflush(stderr);
  }
  ++done_;
}

}  // namespace green::cli
