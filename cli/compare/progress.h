// A bar on a terminal that tells how far a long command is; silent elsewhere.
#pragma once

#include <string>

namespace green::cli {

class Progress {
 public:
  explicit Progress(int steps);  // Draws on stderr if that is a terminal.
  ~Progress();                   // Takes the bar away.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // The next step begins.
  void Step(const std::string& what);

 private:
  const int steps_;
  const bool terminal_;
  int done_ = 0;
  double start_;
};

}  // namespace green::cli
