// What the user asked to be compared.
#pragma once

#include <string>
#include <vector>

namespace green::cli {

struct Plan {
  std::string file;  // To execute for command[0].
  std::vector<std::string> command;
  std::string load;             // For the shell; empty: the program itself is the load.
  std::string ready;            // For the shell: the server is ready when this succeeds.
  int port = 0;                 // Or when this one takes connections.
  std::string metric;           // Where the throughput stands in the load's output.
  std::string unit = "metric";  // How that is called.
  bool lower = false;           // The metric is better when it is lower.
  int runs = 3;
  double warmup = 1;     // Seconds of load before each measurement.
  double patience = 60;  // Seconds for a server to get ready.
  double grace = 10;     // Seconds for a server to end on SIGTERM.
  double timeout = 600;  // Seconds for a load, or for a program, to end.
  std::string library;   // libgreen.so
  std::string preloads;  // The user's own LD_PRELOAD.
};

}  // namespace green::cli
