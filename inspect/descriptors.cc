#include "inspect/descriptors.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "inspect/maps.h"
#include "inspect/snapshot.h"

namespace green::inspect {
namespace {

// "0100007F:1F90", words in the kernel's byte order, to "127.0.0.1:8080".
std::string Address(const std::string& field) {
  const size_t colon = field.find(':');
  if (colon == field.npos) return "?";
  const std::string hex = field.substr(0, colon);
  const unsigned port = static_cast<unsigned>(std::strtoul(field.c_str() + colon + 1, nullptr, 16));
  char text[INET6_ADDRSTRLEN] = "?";
  uint32_t words[4] = {};
  if (hex.size() == 8) {
    words[0] = static_cast<uint32_t>(std::strtoul(hex.c_str(), nullptr, 16));
    inet_ntop(AF_INET, words, text, sizeof text);
    return std::string(text) + ":" + std::to_string(port);
  }
  if (hex.size() != 32) return "?";
  for (size_t i = 0; i < 4; ++i)
    words[i] = static_cast<uint32_t>(std::strtoul(hex.substr(i * 8, 8).c_str(), nullptr, 16));
  inet_ntop(AF_INET6, words, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(port);
}

const char* TcpState(unsigned state) {
  static constexpr const char* kNames[] = {"",           "established", "syn sent",  "syn received",
                                           "fin wait 1", "fin wait 2",  "time wait", "close",
                                           "close wait", "last ack",    "listen",    "closing"};
  return state < std::size(kNames) ? kNames[state] : "";
}

}  // namespace

void ParseInetSockets(const std::string& text, const char* protocol, SocketTable* out) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // the title
  while (std::getline(lines, line)) {
    char local[80], peer[80];
    unsigned state;
    uint64_t inode;
    if (std::sscanf(line.c_str(), "%*d: %79s %79s %x %*s %*s %*s %*s %*s %" SCNu64, local, peer,
                    &state, &inode) != 4)
      continue;
    const bool tcp = protocol[0] == 't';
    (*out)[inode] = {protocol, Address(local), Address(peer), tcp ? TcpState(state) : ""};
  }
}

void ParseUnixSockets(const std::string& text, SocketTable* out) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    uint64_t inode;
    int path = 0;
    if (std::sscanf(line.c_str(), "%*s %*s %*s %*s %*s %*s %" SCNu64 " %n", &inode, &path) != 1)
      continue;
    std::string name = path && static_cast<size_t>(path) < line.size() ? line.substr(path) : "";
    (*out)[inode] = {"unix", Printable(name), "", ""};
  }
}

const SocketInfo* Descriptors::Socket(uint64_t inode) {
  if (!read_) {
    read_ = true;
    const std::string net = "/proc/" + std::to_string(pid_) + "/net/";
    for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"})
      ParseInetSockets(ReadProcFile(net + protocol), protocol, &sockets_);
    ParseUnixSockets(ReadProcFile(net + "unix"), &sockets_);
  }
  auto found = sockets_.find(inode);
  return found == sockets_.end() ? nullptr : &found->second;
}

std::string Descriptors::Describe(int fd) {
  auto [known, fresh] = known_.try_emplace(fd);
  if (!fresh) return known->second;
  const std::string path = "/proc/" + std::to_string(pid_) + "/fd/" + std::to_string(fd);
  char link[4096];
  const ssize_t n = readlink(path.c_str(), link, sizeof link);
  std::string text = n > 0 ? Printable(std::string_view(link, static_cast<size_t>(n))) : "closed";
  uint64_t inode;
  if (std::sscanf(text.c_str(), "socket:[%" SCNu64 "]", &inode) == 1) {
    text = "socket";
    if (const SocketInfo* s = Socket(inode)) {
      text = s->protocol;
      if (!s->local.empty()) text += " " + s->local;
      if (s->state == "listen")
        text += " listening";
      else if (!s->peer.empty())
        text += " <- " + s->peer;
    }
  } else if (text.starts_with("anon_inode:")) {
    text = text.substr(std::strlen("anon_inode:"));
    if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  } else if (text.starts_with("pipe:")) {
    text = "pipe";
  }
  return known->second = text;
}

}  // namespace green::inspect
