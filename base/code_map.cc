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

// Where this library begins, and its code ends.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace green {
namespace {

constexpr size_t kMostRanges = 512;
constexpr size_t kPath = 4096;
constexpr size_t kWords = 96;        // of a stack that are looked at
constexpr size_t kBehindFirst = 24;  // of these, behind a return address that may be an old one
constexpr size_t kKnown = 512;

struct Range {
  uintptr_t begin, end, offset;
  bool runtime;  // libc, the loader, libstdc++ or libgreen: nobody's "caller"
};

struct Ranges {
  uint32_t count = 0;
  Range all[kMostRanges];
};

// Readers take no lock: they use the ranges that were read last, while others are read. One that is
// overtaken twice may err.
struct Map {
  Ranges tables[2];
  std::atomic<const Ranges*> ranges{nullptr};
  std::atomic<bool> read{false};
  std::atomic<uintptr_t> accepted[kKnown], rejected[kKnown];  // addresses behind a call, and others

  SpinLock lock;  // of what follows, and of reading ranges
  char buffer[8192];
  char line[kPath + 80];
  char path[kPath];
};
constinit Map g_map = {};

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
  for (const char* name : {"libc.so", "libc-", "ld-linux", "libstdc++", "libpthread", "libgcc_s"})
    if (BeginsLike(path, name)) return true;
  return false;
}

// libgreen.so may have been given another name.
bool IsOwn(uintptr_t begin, uintptr_t end) {
  return begin < reinterpret_cast<uintptr_t>(etext) &&
         end > reinterpret_cast<uintptr_t>(__ehdr_start);
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

// Calls fn for each line of maps, cut at kPath; until it returns false. By who holds the lock.
template <typename Fn>
void ForEachMapping(Fn fn) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) return;
  char* const line = g_map.line;
  size_t length = 0;
  bool going = true;
  for (long n; going && (n = RawSyscall(SYS_read, fd, g_map.buffer, sizeof g_map.buffer)) > 0;) {
    for (long i = 0; i < n && going; ++i) {
      if (g_map.buffer[i] != '\n') {
        if (length + 1 < sizeof g_map.line) line[length++] = g_map.buffer[i];
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
      range.runtime = IsOwn(range.begin, range.end) || IsRuntime(s);
      if (executable && *s == '/') going = fn(range, s);
    }
  }
  RawSyscall(SYS_close, fd);
}

void ReadMap() {
  TryLock lock;
  if (!lock) return;
  const bool first = g_map.ranges.load(std::memory_order_relaxed) != &g_map.tables[0];
  Ranges* table = &g_map.tables[first ? 0 : 1];
  table->count = 0;
  g_map.read.store(true, std::memory_order_relaxed);
  ForEachMapping([table](const Range& range, const char*) {
    table->all[table->count++] = range;
    return table->count < kMostRanges;
  });
  g_map.ranges.store(table, std::memory_order_release);
}

// In code of the executable's or of a library of its own, be it that a task returns there.
bool InProgram(const Ranges& ranges, uintptr_t address) {
  for (uint32_t i = 0; i < ranges.count; ++i) {
    const Range& r = ranges.all[i];
    if (address >= r.begin && address < r.end) return !r.runtime;
  }
  return false;
}

// A call instruction ends there: e8 with a distance, or ff /2 with two to seven bytes.
bool FollowsCall(uintptr_t address, CopyMemory copy) {
  std::atomic<uintptr_t>& accepted = g_map.accepted[address % kKnown];
  std::atomic<uintptr_t>& rejected = g_map.rejected[address % kKnown];
  if (accepted.load(std::memory_order_relaxed) == address) return true;
  if (rejected.load(std::memory_order_relaxed) == address) return false;
  unsigned char code[7];
  if (copy(code, reinterpret_cast<const void*>(address - 7), 7)) {
    bool call = code[2] == 0xe8;
    for (int length = 2; length <= 7; ++length)
      call |= code[7 - length] == 0xff && (code[8 - length] & 0x38) == 0x10;
    if (call) {
      accepted.store(address, std::memory_order_relaxed);
      return true;
    }
  }
  rejected.store(address, std::memory_order_relaxed);
  return false;
}

struct Search {
  const Ranges& ranges;
  CopyMemory copy;
  LeadsTo leads_to;
  uintptr_t site;

  uintptr_t In(const uintptr_t* words, size_t n) const {
    uintptr_t first = 0;
    for (size_t i = 0; i < n; ++i) {
      if (!InProgram(ranges, words[i]) || !FollowsCall(words[i], copy)) continue;
      if (!leads_to || leads_to(words[i], site)) return words[i];
      if (first) continue;
      first = words[i];
      if (n > i + kBehindFirst) n = i + kBehindFirst;
    }
    return first;
  }
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
  const char* name = nullptr;
  size_t length = 0;
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
        const char* here = file + strings.sh_offset + symbol.st_name;
        // The name that programs use, of two for one function.
        if (name && *here == '_') continue;
        name = here;
        length = strings.sh_size - symbol.st_name;
      }
    }
    if (name) break;
  }
  if (!name) return false;
  for (; length && *name && *at + 1 < size; --length) out[(*at)++] = *name++;
  out[*at] = 0;
  return true;
}

}  // namespace

bool CopyBySystemCall(void* to, const void* from, size_t n) {
  const iovec local = {to, n}, remote = {const_cast<void*>(from), n};
  return RawSyscall(SYS_process_vm_readv, RawSyscall(SYS_getpid), &local, 1, &remote, 1, 0) ==
         static_cast<long>(n);
}

uintptr_t FindCaller(uintptr_t rsp, bool stays, CopyMemory copy, LeadsTo leads_to, uintptr_t site) {
  if (!g_map.read.load(std::memory_order_relaxed)) ReadMap();
  const Ranges* ranges = g_map.ranges.load(std::memory_order_acquire);
  if (!ranges) return 0;
  const Search search = {*ranges, copy, leads_to, site};
  const auto words = reinterpret_cast<const uintptr_t*>(rsp);
  // The page of one that stays is there; what lies beyond it is asked for.
  size_t here = stays ? (4096 - rsp % 4096) / sizeof *words : 0;
  if (here > kWords) here = kWords;
  if (const uintptr_t found = search.In(words, here)) return found;
  if (here == kWords) return 0;
  uintptr_t rest[kWords];
  size_t n = kWords - here;
  while (n && !copy(rest, words + here, n * sizeof *words)) n /= 2;
  return search.In(rest, n);
}

void PrepareCodeMap() { ReadMap(); }

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
    struct stat st = {};
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
