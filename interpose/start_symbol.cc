#include "interpose/start_symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>

#include "base/raw_syscall.h"
#include "sched/bound_names.h"

// musl has no such function, and its loader binds every symbol that is not weak before the program
// runs; start.cc leaves musl's programs alone.
#pragma weak dladdr1

namespace green {
namespace {

// A whole file, mapped for reading.
class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (IsError(fd)) return;
    struct stat st;
    if (RawSyscall(SYS_fstat, fd, &st) == 0 && st.st_size > 0) {
      const long p = RawSyscall(SYS_mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (!IsError(p)) {
        data_ = reinterpret_cast<const char*>(p);
        size_ = static_cast<size_t>(st.st_size);
      }
    }
    RawSyscall(SYS_close, fd);
  }
  ~MappedFile() {
    if (data_) RawSyscall(SYS_munmap, data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  // n records of T at an offset; null when the file does not reach that far.
  template <typename T>
  const T* At(uint64_t offset, uint64_t n = 1) const {
    if (offset > size_ || n > (size_ - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(data_ + offset);
  }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// A function at `value` in the file's symbol table, under any of its names.
bool SymbolTableHasIt(const char* path, uint64_t value) {
  const MappedFile file(path);
  auto header = file.At<Elf64_Ehdr>(0);
  auto sections = header ? file.At<Elf64_Shdr>(header->e_shoff, header->e_shnum) : nullptr;
  if (!sections) return false;
  for (int i = 0; i < header->e_shnum; ++i) {
    const Elf64_Shdr& table = sections[i];
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= header->e_shnum) continue;
    const Elf64_Shdr& strings = sections[table.sh_link];
    const uint64_t n = table.sh_size / sizeof(Elf64_Sym);
    auto symbols = file.At<Elf64_Sym>(table.sh_offset, n);
    auto names = file.At<char>(strings.sh_offset, strings.sh_size);
    if (!symbols || !names || !strings.sh_size || names[strings.sh_size - 1]) return false;
    for (uint64_t k = 0; k < n; ++k)
      if (symbols[k].st_value == value && ELF64_ST_TYPE(symbols[k].st_info) == STT_FUNC &&
          symbols[k].st_name < strings.sh_size && IsBoundName(names + symbols[k].st_name))
        return true;
  }
  return false;
}

bool LookUp(const void* function) {
  Dl_info info;
  link_map* object = nullptr;
  if (!dladdr1(function, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP)) return false;
  if (info.dli_sname && info.dli_saddr == function && IsBoundName(info.dli_sname)) return true;
  return SymbolTableHasIt(*object->l_name ? object->l_name : "/proc/self/exe",
                          reinterpret_cast<uint64_t>(function) - object->l_addr);
}

}  // namespace

bool HasBoundName(const void* function) {
  if (!AnyBoundNames()) return false;
  // What was found out, by address: the address twice over, plus the answer. Code that dlclose
  // replaced by other code at the same address keeps the old answer.
  static std::atomic<uint64_t> known[256];
  const uint64_t key = reinterpret_cast<uint64_t>(function) << 1;
  auto& entry = known[(key >> 5) % 256];
  const uint64_t found = entry.load(std::memory_order_relaxed);
  if ((found & ~uint64_t{1}) == key) return found & 1;
  const bool bound = LookUp(function);
  entry.store(key | bound, std::memory_order_relaxed);
  return bound;
}

}  // namespace green
