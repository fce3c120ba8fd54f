// What a process's file descriptors are: from the links in /proc/PID/fd and the kernel's tables of
// sockets in /proc/PID/net (proc(5)). Nothing is opened or duplicated, so the process and its peers
// notice nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace green::inspect {

struct SocketInfo {
  const char* protocol;  // tcp, tcp6, udp, udp6, unix
  std::string local, peer;
  std::string state;  // of TCP: listen, established, ...
};

// Inode to socket, of /proc/PID/net/{tcp,udp,tcp6,udp6} and unix as text.
using SocketTable = std::unordered_map<uint64_t, SocketInfo>;
void ParseInetSockets(const std::string& text, const char* protocol, SocketTable* out);
void ParseUnixSockets(const std::string& text, SocketTable* out);

class Descriptors {
 public:
  explicit Descriptors(pid_t pid) : pid_(pid) {}
  // One line: "tcp 127.0.0.1:8080 <- 127.0.0.1:40122", "pipe", "eventfd", "/a/file"; "closed".
  std::string Describe(int fd);

 private:
  const SocketInfo* Socket(uint64_t inode);
  pid_t pid_;
  bool read_ = false;
  SocketTable sockets_;
  std::unordered_map<int, std::string> known_;
};

}  // namespace green::inspect
