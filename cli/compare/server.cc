#include "cli/compare/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "cli/compare/failure.h"
#include "cli/compare/metrics.h"
#include "cli/compare/processes.h"

namespace green::cli {
namespace {

template <typename Address>
bool Connects(int family, const Address& address) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

bool TakesConnections(int port) {
  const auto number = htons(static_cast<uint16_t>(port));
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = number;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = number;
  six.sin6_addr = in6addr_loopback;
  return Connects(AF_INET, four) || Connects(AF_INET6, six);
}

}  // namespace

std::string LastLine(const std::string& output) {
  std::istringstream lines(output);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != line.npos) last = line;
  }
  return last;
}

std::string Said(const std::string& output) {
  const std::string line = LastLine(output);
  return line.empty() ? "" : "; it said: " + line;
}

Server::Server(const Plan& plan, const Mode& mode, Children* children)
    : plan_(plan), children_(*children), port_(plan.port) {
  if (port_ && TakesConnections(port_)) {
    throw Failure("port " + std::to_string(port_) + " is taken by another program");
  }
  pid_ = children_.Start(plan.file, plan.command, EnvironmentOf(mode, plan.library, plan.preloads),
                         output_);
}

bool Server::SaysReady() {
  const Output ignored;
  const pid_t asked = children_.StartShell(Fill(plan_.ready),
                                           EnvironmentOf(Modes()[0], "", plan_.preloads), ignored);
  for (const double until = Now() + 10; !children_.Status(asked); Sleep(0.05)) {
    if (Now() > until) children_.End(asked, SIGKILL, 10);
  }
  return *children_.Status(asked) == 0;
}

bool Server::IsReady() {
  if (!port_) {
    const Listeners found = ListenersOf(children_.Alive());
    if (!found.ports.empty()) port_ = *found.ports.begin();
    if (plan_.ready.empty()) return port_ || found.unix_socket;
  }
  return plan_.ready.empty() ? TakesConnections(port_) : SaysReady();
}

void Server::WaitUntilReady() {
  for (const double until = Now() + plan_.patience; !IsReady(); Sleep(0.05)) {
    CheckAlive("before it was ready");
    if (Now() <= until) continue;
    const std::string how = !plan_.ready.empty() ? "--ready never succeeded"
                            : plan_.port ? "no connection to port " + std::to_string(plan_.port)
                                         : "it listens on no socket";
    throw Failure("the server was not ready in " + Figure(plan_.patience) + " s: " + how +
                  Said(Log()));
  }
  // The one that answers may be another.
  CheckAlive("before it was ready");
}

void Server::CheckAlive(const std::string& when) {
  const std::optional<int> status = children_.Status(pid_);
  if (!status) return;
  // A daemon's first process ends with status 0, and its children come to us.
  if (*status == 0 && !children_.Alive().empty()) return;
  throw Failure("the server ended " + when + ", " + StatusText(*status) + Said(Log()));
}

bool Server::End() {
  if (!children_.Status(pid_)) children_.End(pid_, SIGTERM, plan_.grace);
  bool obeyed = children_.Status(pid_).has_value();
  const std::vector<pid_t> left = children_.Alive();
  if (obeyed && !left.empty()) {
    for (pid_t pid : left) kill(pid, SIGTERM);
    const double until = Now() + plan_.grace;
    while (!children_.Alive().empty() && Now() < until) usleep(20000);
    obeyed = children_.Alive().empty();
  }
  children_.KillAll();
  return obeyed;
}

std::string Server::Fill(std::string text) const {
  constexpr std::string_view kMark = "{port}";
  for (size_t at; (at = text.find(kMark)) != text.npos;) {
    if (!port_) throw Failure("{port} has no value: the server listens on no TCP port");
    text.replace(at, kMark.size(), std::to_string(port_));
  }
  return text;
}

}  // namespace green::cli
