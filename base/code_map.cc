#include "base/code_map.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <atomic>

#include "base/raw_syscall.h"
#include "base/spin_lock.h"

namespace green {
namespace {

constexpr size_t kMostRanges = 512;
constexpr size_t kPath = 256;
constexpr size_t kWords = 96;  // of a stack that are looked at
constexpr size_t kKnown = 512;

struct Range {
  uintptr_t begin, end, offset;
  bool runtime;  // libc, the loader, libstdc++ or libgreen: nobody's "caller"
};

struct Map {
  SpinLock lock;
  uint32_t count = 0;
  std::atomic<bool> read{false};
  Range ranges[kMostRanges];
  uintptr_t accepted[kKnown], rejected[kKnown];  // addresses behind a call, and others
  char buffer[8192];
  char path[kPath];
};
Map g_map;

// The file's own name begins so.
bool BeginsLike(const char* path, const char* name) {
  const char* base = path;
  for (const char* s = path; *s; ++s)
    if (*s == '/') base = s + 1;
  for (; *name; ++base, ++name)
    if (*base != *name) return false;
  return true;
}

bool IsRuntime(const char* path) {
  for (const char* name :
       {"libc.so", "libc-", "ld-linux", "libgreen.so", "libstdc++", "libpthread", "libgcc_s"})
    if (BeginsLike(path, name)) return true;
  return false;
}

uintptr_t Hex(const char** s) {
  uintptr_t v = 0;
  for (;; ++*s) {
    const char c = **s;
    if (c >= '0' && c <= '9')
      v = v * 16 + static_cast<uintptr_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      v = v * 16 + static_cast<uintptr_t>(c - 'a' + 10);
    else
      return v;
  }
}

// Calls fn for each line of maps, cut at kPath; until it returns false.
template <typename Fn>
void ForEachMapping(Fn fn) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return;
  char line[kPath + 80];
  size_t length = 0;
  bool going = true;
  for (long n; going && (n = RawSyscall(SYS_read, fd, g_map.buffer, sizeof g_map.buffer)) > 0;) {
    for (long i = 0; i < n && going; ++i) {
      if (g_map.buffer[i] != '\n') {
        if (length + 1 < sizeof line) line[length++] = g_map.buffer[i];
        continue;
      }
      line[length] = 0;
      length = 0;
      const char* s = line;
      Range range;
      range.begin = Hex(&s);
      ++s;
      range.end = Hex(&s);
      const bool executable = s[3] == 'x';
      s += 6;
      range.offset = Hex(&s);
      while (*s && *s != '/' && *s != '[') ++s;
      range.runtime = IsRuntime(s);
      if (executable && *s == '/') going = fn(range, s);
    }
  }
  RawSyscall(SYS_close, fd);
}

void ReadMap() {
  g_map.count = 0;
  g_map.read.store(true, std::memory_order_relaxed);
  ForEachMapping([](const Range& range, const char*) {
    g_map.ranges[g_map.count++] = range;
    return g_map.count < kMostRanges;
  });
}

// In code of the executable's or of a library of its own, be it that a task returns there.
bool InProgram(uintptr_t address) {
  for (uint32_t i = 0; i < g_map.count; ++i) {
    const Range& r = g_map.ranges[i];
    if (address >= r.begin && address < r.end) return !r.runtime;
  }
  return false;
}

bool Copy(uintptr_t from, void* to, size_t size) {
  const iovec local = {to, size}, remote = {reinterpret_cast<void*>(from), size};
  return RawSyscall(SYS_process_vm_readv, RawSyscall(SYS_getpid), &local, 1, &remote, 1, 0) ==
         static_cast<long>(size);
}

// A call instruction ends there: e8 with a distance, or ff /2 with two to seven bytes.
bool FollowsCall(uintptr_t address) {
  uintptr_t& accepted = g_map.accepted[address % kKnown];
  uintptr_t& rejected = g_map.rejected[address % kKnown];
  if (accepted == address) return true;
  if (rejected == address) return false;
  unsigned char code[7];
  if (Copy(address - 7, code, 7)) {
    bool call = code[2] == 0xe8;
    for (int length = 2; length <= 7; ++length)
      call |= code[7 - length] == 0xff && (code[8 - length] & 0x38) == 0x10;
    if (call) {
      accepted = address;
      return true;
    }
  }
  rejected = address;
  return false;
}

uintptr_t FirstCaller(const uintptr_t* words, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (InProgram(words[i]) && FollowsCall(words[i])) return words[i];
  return 0;
}

class TryLock {
 public:
  TryLock() : mine_(g_map.lock.TryLock()) {}
  ~TryLock() {
    if (mine_) g_map.lock.Unlock();
  }
  explicit operator bool() const { return mine_; }

 private:
  const bool mine_;
};

void Append(char* out, size_t size, size_t* at, const char* text) {
  for (; *text && *at + 1 < size; ++text) out[(*at)++] = *text;
  out[*at] = 0;
}

void AppendHex(char* out, size_t size, size_t* at, uintptr_t v) {
  char digits[19] = "0x";
  int n = 2, shift = 60;
  while (shift > 0 && ((v >> shift) & 15) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) digits[n++] = "0123456789abcdef"[(v >> shift) & 15];
  digits[n] = 0;
  Append(out, size, at, digits);
}

// The name of the function of the file that holds `offset`, appended; false if it is not known.
bool AppendFunction(const char* file, size_t file_size, uintptr_t offset, char* out, size_t size,
                    size_t* at) {
  auto header = reinterpret_cast<const Elf64_Ehdr*>(file);
  if (file_size < sizeof *header || header->e_ident[0] != 0x7f || header->e_ident[1] != 'E')
    return false;
  const auto within = [&](uint64_t from, uint64_t length) {
    return from <= file_size && length <= file_size - from;
  };
  if (!within(header->e_phoff, uint64_t{header->e_phnum} * sizeof(Elf64_Phdr)) ||
      !within(header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr)))
    return false;
  auto segments = reinterpret_cast<const Elf64_Phdr*>(file + header->e_phoff);
  uint64_t address = offset;
  for (int i = 0; i < header->e_phnum; ++i) {
    const Elf64_Phdr& s = segments[i];
    if (s.p_type == PT_LOAD && offset >= s.p_offset && offset < s.p_offset + s.p_filesz)
      address = offset - s.p_offset + s.p_vaddr;
  }
  auto sections = reinterpret_cast<const Elf64_Shdr*>(file + header->e_shoff);
  for (uint32_t wanted : {uint32_t{SHT_SYMTAB}, uint32_t{SHT_DYNSYM}}) {
    for (int i = 0; i < header->e_shnum; ++i) {
      const Elf64_Shdr& s = sections[i];
      if (s.sh_type != wanted || s.sh_link >= header->e_shnum || !within(s.sh_offset, s.sh_size))
        continue;
      const Elf64_Shdr& strings = sections[s.sh_link];
      if (!within(strings.sh_offset, strings.sh_size)) continue;
      auto symbols = reinterpret_cast<const Elf64_Sym*>(file + s.sh_offset);
      for (size_t k = 0; k < s.sh_size / sizeof(Elf64_Sym); ++k) {
        const Elf64_Sym& symbol = symbols[k];
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || address < symbol.st_value ||
            address >= symbol.st_value + symbol.st_size || symbol.st_name >= strings.sh_size)
          continue;
        const char* name = file + strings.sh_offset + symbol.st_name;
        for (size_t n = strings.sh_size - symbol.st_name; n && *name && *at + 1 < size; --n)
          out[(*at)++] = *name++;
        out[*at] = 0;
        return true;
      }
    }
  }
  return false;
}

}  // namespace

uintptr_t FindCaller(uintptr_t rsp, bool mine) {
  TryLock lock;
  if (!lock) return 0;
  if (!g_map.read.load(std::memory_order_relaxed)) ReadMap();
  // One's own page is there; what lies beyond it is asked for.
  const size_t here = mine ? (4096 - rsp % 4096) / sizeof(uintptr_t) : 0;
  if (const uintptr_t found =
          FirstCaller(reinterpret_cast<const uintptr_t*>(rsp), here < kWords ? here : kWords))
    return found;
  if (here >= kWords) return 0;
  uintptr_t copy[kWords];
  size_t n = kWords - here;
  while (n && !Copy(rsp + here * sizeof copy[0], copy, n * sizeof copy[0])) n /= 2;
  return FirstCaller(copy, n);
}

void ForgetCodeMap() { g_map.read.store(false, std::memory_order_relaxed); }

void ResetCodeMapAfterFork() {
  g_map.lock.Reset();
  ForgetCodeMap();
}

void NameOfCode(uintptr_t address, char* out, size_t size) {
  size_t at = 0;
  out[0] = 0;
  TryLock lock;
  uintptr_t offset = 0;
  g_map.path[0] = 0;
  if (lock)
    ForEachMapping([&](const Range& range, const char* path) {
      if (address < range.begin || address >= range.end) return true;
      offset = address - range.begin + range.offset;
      size_t i = 0;
      for (; path[i] && i + 1 < kPath; ++i) g_map.path[i] = path[i];
      g_map.path[i] = 0;
      return false;
    });
  if (!lock || !g_map.path[0]) return AppendHex(out, size, &at, address);
  const char* base = g_map.path;
  for (const char* s = g_map.path; *s; ++s)
    if (*s == '/') base = s + 1;
  bool known = false;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, g_map.path, O_RDONLY | O_CLOEXEC);
  if (!IsError(fd)) {
    struct stat st;
    long p = -1;
    if (RawSyscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode))
      p = RawSyscall(SYS_mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    RawSyscall(SYS_close, fd);
    if (!IsError(p)) {
      const auto file_size = static_cast<size_t>(st.st_size);
      // The instruction before the one that is returned to.
      known =
          AppendFunction(reinterpret_cast<const char*>(p), file_size, offset - 1, out, size, &at);
      RawSyscall(SYS_munmap, p, file_size);
    }
  }
  if (known) Append(out, size, &at, " (");
  Append(out, size, &at, base);
  if (known) return Append(out, size, &at, ")");
  Append(out, size, &at, "+");
  AppendHex(out, size, &at, offset);
}

}  // namespace green
