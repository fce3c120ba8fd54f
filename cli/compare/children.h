// The processes that a command starts, and their end: whatever happens, none survives
// the Children that started it, daemons included. One instance at a time, in a process
// with one thread that has no other children.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace green::cli {

// A file without a name, that a child writes its output to.
class Output {
 public:
  Output();
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int fd() const { return fd_; }
  std::string Text() const;

 private:
  const int fd_;
};

// Variables to set; those without a value are removed.
using Environment = std::vector<std::pair<std::string, std::optional<std::string>>>;

// From now on SIGINT, SIGTERM and SIGHUP end the next Sleep() with Interrupted.
void CatchInterrupts();

// Ends early when a child does.
void Sleep(double seconds);

double Now();  // Seconds, monotonic.

class Children {
 public:
  Children();
  ~Children();  // Ends them all, at once.
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Starts a program in a process group of its own, its input empty. `file` is what to
  // execute for argv[0]. Throws Failure with status 126 or 127 if it cannot.
  pid_t Start(const std::string& file, const std::vector<std::string>& argv,
              const Environment& environment, const Output& output);

  // A command line of the shell's.
  pid_t StartShell(const std::string& line, const Environment& environment, const Output& output);

  // The status of a child that has ended, as waitpid() has it.
  std::optional<int> Status(pid_t pid);

  // The whole life of a child that has ended, and of the children that it waited for.
  const rusage& UsageOf(pid_t pid) const { return ended_.at(pid).usage; }

  // Ends a child's process group with a signal and waits until the child itself has
  // ended; false if it has not within `seconds`.
  bool End(pid_t pid, int signal, double seconds);

  // Those that are alive and their descendants; without `except` and its own.
  std::vector<pid_t> Alive(pid_t except = 0);

  // Kills all that are alive, and waits for them.
  void KillAll();

  // Context switches of all that have ended, without `except`.
  double EndedSwitches(const std::set<pid_t>& except) const;

 private:
  struct Ended {
    int status;
    rusage usage;
  };

  void Reap();

  std::map<pid_t, Ended> ended_;
};

// "status 3", "signal 9 (Killed)".
std::string StatusText(int status);

}  // namespace green::cli
