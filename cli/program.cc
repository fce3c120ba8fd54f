#include "cli/program.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace green::cli {
namespace {

constexpr int kMaxInterpreters = 4;  // As many as Linux follows.

// A regular ELF executable, read piece by piece: programs can be large.
class ElfFile {
 public:
  explicit ElfFile(const std::string& path) : file_(path, std::ios::binary) {
    Read(0, &header_, sizeof header_);
  }

  bool IsElf() const { return std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0; }

  bool IsX86_64() const {
    return header_.e_ident[EI_CLASS] == ELFCLASS64 && header_.e_machine == EM_X86_64;
  }

  // The contents of the first segment of a type; empty if there is none.
  std::string Segment(Elf64_Word type) {
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      Elf64_Phdr segment{};
      Read(header_.e_phoff + i * sizeof segment, &segment, sizeof segment);
      if (segment.p_type == type) return Bytes(segment.p_offset, segment.p_filesz);
    }
    return {};
  }

  bool HasSection(std::string_view name) {
    if (header_.e_shstrndx == SHN_UNDEF) return false;
    std::string names;
    std::vector<Elf64_Shdr> sections(header_.e_shnum);
    Read(header_.e_shoff, sections.data(), sections.size() * sizeof(Elf64_Shdr));
    if (header_.e_shstrndx < sections.size()) {
      const Elf64_Shdr& table = sections[header_.e_shstrndx];
      names = Bytes(table.sh_offset, table.sh_size);
    }
    for (const Elf64_Shdr& section : sections) {
      if (section.sh_name < names.size() && name == names.c_str() + section.sh_name) return true;
    }
    return false;
  }

 private:
  void Read(Elf64_Off offset, void* to, size_t size) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
  }

  std::string Bytes(Elf64_Off offset, Elf64_Xword size) {
    constexpr Elf64_Xword kSane = 1 << 20;  // A damaged header may say anything.
    std::string bytes(std::min(size, kSane), '\0');
    Read(offset, bytes.data(), bytes.size());
    return bytes;
  }

  std::ifstream file_;
  Elf64_Ehdr header_{};
};

// The interpreter of a `#!` script; nothing for another file.
std::optional<std::string> Interpreter(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (!std::getline(file, line) || !line.starts_with("#!")) return {};
  std::string interpreter;
  std::istringstream(line.substr(2)) >> interpreter;
  return interpreter;
}

bool HasFileCapabilities(const std::string& path) {
  return getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

bool IsRegularExecutable(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> RefusalOfElf(const std::string& path) {
  ElfFile elf(path);
  if (!elf.IsElf() || !elf.IsX86_64()) return "is not a 64-bit x86-64 ELF program";
  if (elf.HasSection(".go.buildinfo") || elf.HasSection(".note.go.buildid")) {
    return "is a Go program, which schedules its threads by itself";
  }
  std::string loader = elf.Segment(PT_INTERP);
  if (loader.empty()) return "is linked statically, so nothing can be preloaded into it";
  if (loader.find("musl") != std::string::npos) return "is built for musl, not for glibc";
  return {};
}

}  // namespace

bool IsElf(const std::string& path) { return ElfFile(path).IsElf(); }

std::optional<std::string> FindProgram(const std::string& command) {
  if (command.find('/') != std::string::npos) return command;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/bin:/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = (folder.empty() ? "." : folder) + "/" + command;
    if (IsRegularExecutable(candidate)) return candidate;
  }
  return {};
}

std::optional<std::string> ScriptInterpreter(const std::string& path) {
  std::optional<std::string> last;
  for (int depth = 0; depth < kMaxInterpreters; ++depth) {
    const std::optional<std::string> next = Interpreter(last.value_or(path));
    if (!next) break;
    last = next;
  }
  return last;
}

std::optional<std::string> Refusal(const std::string& path) {
  std::string file = path;
  for (int depth = 0; depth <= kMaxInterpreters; ++depth) {
    struct stat info;
    if (stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    if (access(file.c_str(), R_OK) != 0) return "can't be read, so it can't be judged";
    std::optional<std::string> interpreter = Interpreter(file);
    if (!interpreter) {
      // The loader ignores preloads where a program gains rights.
      if (info.st_mode & (S_ISUID | S_ISGID)) return "is setuid or setgid";
      if (HasFileCapabilities(file)) return "has file capabilities";
      return RefusalOfElf(file);
    }
    file = *interpreter;
  }
  return {};
}

}  // namespace green::cli
