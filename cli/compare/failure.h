// What ends a command early: one line for the user, and the exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace green::cli {

class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& text, int status = 1)
      : std::runtime_error(text), status(status) {}

  const int status;
};

// The user or a supervisor asked green to end.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal(signal) {}

  const int signal;
};

}  // namespace green::cli
