#include "inspect/modules.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "inspect/snapshot.h"

namespace green::inspect {
namespace {

constexpr size_t kMaxSegments = 64, kMaxSections = 4096;
constexpr size_t kMaxTable = 1u << 30;  // bytes of a symbol table or of its names
constexpr size_t kMaxName = 2048;

// A regular file, read piece by piece; nothing in it is believed.
class File {
 public:
  explicit File(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat st;
    if (fd_ >= 0 && (fstat(fd_, &st) != 0 || !S_ISREG(st.st_mode))) {
      close(fd_);
      fd_ = -1;
    }
    if (fd_ >= 0) size_ = static_cast<uint64_t>(st.st_size);
  }
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool Read(uint64_t offset, void* to, size_t size) const {
    if (fd_ < 0 || offset > size_ || size > size_ - offset) return false;
    auto p = static_cast<char*>(to);
    while (size) {
      const ssize_t n = pread(fd_, p, size, static_cast<off_t>(offset));
      if (n <= 0) return false;
      p += n;
      offset += static_cast<uint64_t>(n);
      size -= static_cast<size_t>(n);
    }
    return true;
  }
  uint64_t size() const { return fd_ < 0 ? 0 : size_; }

 private:
  int fd_;
  uint64_t size_ = 0;
};

bool ReadSections(const File& file, std::vector<Elf64_Shdr>* out) {
  Elf64_Ehdr header;
  if (!file.Read(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > kMaxSections)
    return false;
  out->resize(header.e_shnum);
  return file.Read(header.e_shoff, out->data(), out->size() * sizeof(Elf64_Shdr));
}

void AddSymbols(const File& file, const std::vector<Elf64_Shdr>& sections, uint32_t type,
                std::vector<Symbol>* out) {
  for (const Elf64_Shdr& s : sections) {
    if (s.sh_type != type || s.sh_link >= sections.size()) continue;
    const Elf64_Shdr& strings = sections[s.sh_link];
    if (s.sh_size > std::min<uint64_t>(kMaxTable, file.size()) ||
        strings.sh_size > std::min<uint64_t>(kMaxTable, file.size()))
      continue;
    std::vector<Elf64_Sym> table(s.sh_size / sizeof(Elf64_Sym));
    std::string names(strings.sh_size, '\0');
    if (!file.Read(s.sh_offset, table.data(), table.size() * sizeof(Elf64_Sym)) ||
        !file.Read(strings.sh_offset, names.data(), names.size()))
      continue;
    for (const Elf64_Sym& symbol : table) {
      const int kind = ELF64_ST_TYPE(symbol.st_info);
      if ((kind != STT_FUNC && kind != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF ||
          symbol.st_name >= names.size())
        continue;
      const char* name = names.data() + symbol.st_name;
      out->push_back(
          {symbol.st_value, symbol.st_size,
           std::string(name, strnlen(name, std::min(kMaxName, names.size() - symbol.st_name)))});
    }
  }
}

// Where Debian keeps the symbols that were stripped from a file; empty without a build id.
std::string DebugFile(const File& file, const std::vector<Elf64_Shdr>& sections) {
  for (const Elf64_Shdr& s : sections) {
    if (s.sh_type != SHT_NOTE || s.sh_size < 20 || s.sh_size > 4096) continue;
    std::string note(s.sh_size, '\0');
    if (!file.Read(s.sh_offset, note.data(), note.size())) continue;
    Elf64_Nhdr header;
    std::memcpy(&header, note.data(), sizeof header);
    if (header.n_type != NT_GNU_BUILD_ID || header.n_namesz != 4 || header.n_descsz < 2 ||
        header.n_descsz > 64 || 16 + header.n_descsz > note.size())
      continue;
    std::string hex;
    for (uint32_t i = 0; i < header.n_descsz; ++i) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(note[16 + i]));
      hex += two;
    }
    return "/usr/lib/debug/.build-id/" + hex.substr(0, 2) + "/" + hex.substr(2) + ".debug";
  }
  return {};
}

std::string BaseName(const std::string& path) {
  return Printable(path.substr(path.rfind('/') + 1));
}

template <typename T>
T Bytes(const char* at) {
  T v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

// .eh_frame_hdr as binutils writes it (LSB 5, "Eh_frame_hdr"): a sorted table of pairs of 32-bit
// distances from its own begin.
void FindUnwindTable(const Memory& memory, Module* m) {
  char header[12];
  if (!m->unwind_header || !memory.Read(m->unwind_header, header, sizeof header)) return;
  if (header[0] != 1 || header[1] != 0x1b || header[2] != 0x03 || header[3] != 0x3b) return;
  m->unwind_entries = Bytes<uint32_t>(header + 8);
  m->unwind_table = m->unwind_header + sizeof header;
}

bool ReadImage(const Memory& memory, const Mapping& mapping, Module* m) {
  Elf64_Ehdr header;
  if (!memory.Read(mapping.begin, &header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxSegments)
    return false;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!memory.Read(mapping.begin + header.e_phoff, segments.data(),
                   segments.size() * sizeof(Elf64_Phdr)))
    return false;
  m->bias = mapping.begin;
  for (const Elf64_Phdr& s : segments)
    if (s.p_type == PT_LOAD && s.p_offset == 0) m->bias = mapping.begin - s.p_vaddr;
  for (const Elf64_Phdr& s : segments)
    if (s.p_type == PT_GNU_EH_FRAME) m->unwind_header = m->bias + s.p_vaddr;
  FindUnwindTable(memory, m);
  return true;
}

std::string Demangled(const std::string& name) {
  if (!name.starts_with("_Z")) return Printable(name);
  int status;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string out = Printable(status == 0 ? text : name.c_str());
  std::free(text);
  return out;
}

}  // namespace

std::vector<Symbol> ReadSymbols(const std::string& path) {
  std::vector<Symbol> symbols;
  const File file(path);
  std::vector<Elf64_Shdr> sections;
  if (!ReadSections(file, &sections)) return symbols;
  AddSymbols(file, sections, SHT_SYMTAB, &symbols);
  if (symbols.empty()) {
    const File debug(DebugFile(file, sections));
    std::vector<Elf64_Shdr> debug_sections;
    if (ReadSections(debug, &debug_sections))
      AddSymbols(debug, debug_sections, SHT_SYMTAB, &symbols);
  }
  if (symbols.empty()) AddSymbols(file, sections, SHT_DYNSYM, &symbols);
  for (Symbol& s : symbols) s.name = s.name.substr(0, s.name.find('@'));
  // Of several names of one address, the one that is found is the last: the public one.
  const auto underscores = [](const Symbol& s) { return s.name.find_first_not_of('_'); };
  std::sort(symbols.begin(), symbols.end(), [&](const Symbol& a, const Symbol& b) {
    if (a.address != b.address) return a.address < b.address;
    if (underscores(a) != underscores(b)) return underscores(a) > underscores(b);
    return a.name.size() != b.name.size() ? a.name.size() > b.name.size() : a.name > b.name;
  });
  return symbols;
}

Modules::Modules(pid_t pid, const Memory& memory, const std::vector<Mapping>& maps) {
  const std::string root = "/proc/" + std::to_string(pid) + "/root";
  for (const Mapping& mapping : maps) {
    Module* last = modules_.empty() ? nullptr : modules_.back().get();
    const bool vdso = mapping.path == "[vdso]";
    if (last && mapping.inode && mapping.offset && last->path == root + mapping.path) {
      last->end = mapping.end;
      continue;
    }
    if (mapping.offset != 0 || !mapping.readable || (!mapping.inode && !vdso)) continue;
    auto m = std::make_unique<Module>();
    m->begin = mapping.begin;
    m->end = mapping.end;
    m->path = vdso ? "" : root + mapping.path;
    m->name = BaseName(mapping.path);
    if (ReadImage(memory, mapping, m.get())) modules_.push_back(std::move(m));
  }
}

Module* Modules::Find(uint64_t address) {
  auto after =
      std::upper_bound(modules_.begin(), modules_.end(), address,
                       [](uint64_t a, const std::unique_ptr<Module>& m) { return a < m->begin; });
  if (after == modules_.begin()) return nullptr;
  Module* m = std::prev(after)->get();
  return address < m->end ? m : nullptr;
}

std::string Modules::MakeName(uint64_t address) {
  char text[40];
  Module* m = Find(address);
  if (!m) {
    std::snprintf(text, sizeof text, "%#lx", static_cast<unsigned long>(address));
    return text;
  }
  if (!m->symbols_read) {
    m->symbols_read = true;
    if (!m->path.empty()) m->symbols = ReadSymbols(m->path);
  }
  const uint64_t at = address - m->bias;
  auto after = std::upper_bound(m->symbols.begin(), m->symbols.end(), at,
                                [](uint64_t a, const Symbol& s) { return a < s.address; });
  // Back over nested and unsized ones; a few steps find it where it exists.
  for (int steps = 0; after != m->symbols.begin() && steps < 8; ++steps) {
    const Symbol& s = *--after;
    if (at - s.address < s.size) return Demangled(s.name);
  }
  std::snprintf(text, sizeof text, "+%#lx", static_cast<unsigned long>(at));
  return m->name + text;
}

const std::string& Modules::Name(uint64_t address) {
  auto [known, fresh] = names_.try_emplace(address);
  if (fresh) known->second = MakeName(address);
  return known->second;
}

}  // namespace green::inspect
