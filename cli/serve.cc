#include "cli/serve.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace green::cli {
namespace {

constexpr int kPatienceMs = 2000;
constexpr size_t kMaxRequest = 8192;

int Complain(const std::string& address, const char* why) {
  std::fprintf(stderr, "green: can't listen on %s: %s\n", address.c_str(), why);
  return -1;
}

int ListenOnPort(const std::string& address, const std::string& port) {
  uint16_t number;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size())
    return Complain(address, "not a port");
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_port = htons(number);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in) != 0 || listen(fd, 16) != 0)
    return Complain(address, std::strerror(errno));
  socklen_t size = sizeof in;
  getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
  std::printf("http://127.0.0.1:%u/metrics\n", ntohs(in.sin_port));
  return fd;
}

int ListenOnPath(const std::string& path) {
  sockaddr_un un = {};
  un.sun_family = AF_UNIX;
  if (path.size() >= sizeof un.sun_path) return Complain(path, "the path is too long");
  std::memcpy(un.sun_path, path.data(), path.size());
  struct stat old;
  if (lstat(path.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const mode_t mask = umask(0177);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&un), sizeof un) == 0;
  umask(mask);
  if (!bound || listen(fd, 16) != 0) return Complain(path, std::strerror(errno));
  std::printf("%s\n", path.c_str());
  return fd;
}

// The head of a request, or what came in time.
std::string ReadRequest(int fd) {
  std::string request;
  char buffer[1024];
  while (request.size() < kMaxRequest && request.find("\r\n\r\n") == request.npos) {
    pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, kPatienceMs) != 1) break;
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    request.append(buffer, static_cast<size_t>(n));
  }
  return request;
}

void Send(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    pollfd p = {fd, POLLOUT, 0};
    if (poll(&p, 1, kPatienceMs) != 1) return;
    const ssize_t n = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

}  // namespace

int Serve(const std::string& address, const std::function<std::string()>& page) {
  constexpr char kLoopback[] = "127.0.0.1:";
  const bool tcp = address.starts_with(kLoopback);
  if (!tcp && address.find('/') == address.npos && address.find(':') != address.npos)
    return Complain(address, "give 127.0.0.1:PORT or a path") ? 1 : 0;
  const int listener =
      tcp ? ListenOnPort(address, address.substr(sizeof kLoopback - 1)) : ListenOnPath(address);
  if (listener < 0) return 1;
  std::fflush(stdout);
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const bool get = ReadRequest(fd).starts_with("GET ");
    const std::string body = get ? page() : std::string();
    if (!get) {
      Send(fd, "HTTP/1.0 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
    } else if (!body.empty()) {
      Send(fd, "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    close(fd);
    if (get && body.empty()) break;
  }
  close(listener);
  if (!tcp) unlink(address.c_str());
  return 0;
}

}  // namespace green::cli
