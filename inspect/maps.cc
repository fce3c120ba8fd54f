#include "inspect/maps.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <sstream>

namespace green::inspect {

std::string ReadProcFile(const std::string& path, size_t limit) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[65536];
  ssize_t n;
  while (text.size() < limit && (n = read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return text;
}

std::vector<Mapping> ParseMaps(const std::string& text) {
  std::vector<Mapping> maps;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Mapping m;
    char rights[5];
    unsigned major, minor;
    int path = 0;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
                    &m.begin, &m.end, rights, &m.offset, &major, &minor, &m.inode, &path) != 7 ||
        m.begin >= m.end) {
      continue;
    }
    m.readable = rights[0] == 'r';
    m.executable = rights[2] == 'x';
    m.device = makedev(major, minor);
    if (path > 0 && static_cast<size_t>(path) < line.size()) m.path = line.substr(path);
    if (!maps.empty() && m.begin < maps.back().end) continue;
    maps.push_back(std::move(m));
  }
  return maps;
}

std::vector<Mapping> ReadMaps(pid_t pid) {
  return ParseMaps(ReadProcFile("/proc/" + std::to_string(pid) + "/maps"));
}

const Mapping* FindMapping(const std::vector<Mapping>& maps, uint64_t address) {
  auto after = std::upper_bound(maps.begin(), maps.end(), address,
                                [](uint64_t a, const Mapping& m) { return a < m.begin; });
  if (after == maps.begin()) return nullptr;
  const Mapping& m = *std::prev(after);
  return address < m.end ? &m : nullptr;
}

}  // namespace green::inspect
