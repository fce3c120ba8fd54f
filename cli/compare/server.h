// A server under test: started, waited for until it is ready, ended.
#pragma once

#include <string>

#include "cli/compare/children.h"
#include "cli/compare/modes.h"
#include "cli/compare/plan.h"

namespace green::cli {

class Server {
 public:
  Server(const Plan& plan, const Mode& mode, Children* children);

  // Throws Failure if it ends first, or is not ready in plan.patience.
  void WaitUntilReady();

  // Throws Failure if it has ended: `when` says in what, "during the load".
  void CheckAlive(const std::string& when);

  // Ends it on SIGTERM if it obeys; false if it had to be killed.
  bool End();

  // Text with {port} replaced by the port it listens on.
  std::string Fill(std::string text) const;

  std::string Log() const { return output_.Text(); }

 private:
  bool IsReady();
  bool SaysReady();

  const Plan& plan_;
  Children& children_;
  Output output_;
  int port_;
  pid_t pid_;
};

// The last line of an output that says something, for a message; empty if none does.
std::string LastLine(const std::string& output);

// "; it said: " and that line; empty if there is none.
std::string Said(const std::string& output);

}  // namespace green::cli
