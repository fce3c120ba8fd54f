#include "interpose/imports.h"

#include <link.h>
#include <string.h>

namespace green {
namespace {

struct Symbols {
  const ElfW(Sym) * table = nullptr;
  const char* names = nullptr;
  uint32_t undefined = 0;  // they come first, where objects have the GNU hash table
};

// The loader relocates these pointers in place, except where the section is read-only.
template <typename T>
const T* Located(ElfW(Addr) base, ElfW(Addr) pointer) {
  return reinterpret_cast<const T*>(pointer < base ? base + pointer : pointer);
}

bool FindSymbols(const dl_phdr_info& info, Symbols* out) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (int n = 0; n < info.dlpi_phnum; ++n)
    if (info.dlpi_phdr[n].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + info.dlpi_phdr[n].p_vaddr);
  if (!dynamic) return false;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const ElfW(Addr) at = dynamic->d_un.d_ptr;
    switch (dynamic->d_tag) {
      case DT_SYMTAB: out->table = Located<ElfW(Sym)>(info.dlpi_addr, at); break;
      case DT_STRTAB: out->names = Located<char>(info.dlpi_addr, at); break;
      // nbuckets, symoffset: the first symbol that is in the table, so defined.
      case DT_GNU_HASH: out->undefined = Located<uint32_t>(info.dlpi_addr, at)[1]; break;
      // nbucket, nchain: as many as there are symbols.
      case DT_HASH:
        if (!out->undefined) out->undefined = Located<uint32_t>(info.dlpi_addr, at)[1];
        break;
      default: break;
    }
  }
  return out->table && out->names;
}

bool Imports(const Symbols& s, std::initializer_list<const char*> names) {
  for (uint32_t n = 0; n < s.undefined; ++n) {
    if (s.table[n].st_shndx != SHN_UNDEF) continue;
    for (const char* name : names)
      if (strcmp(s.names + s.table[n].st_name, name) == 0) return true;
  }
  return false;
}

}  // namespace

bool SomeObjectImports(std::initializer_list<const char*> names) {
  return dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        Symbols symbols;
        return static_cast<int>(
            FindSymbols(*info, &symbols) &&
            Imports(symbols, *static_cast<std::initializer_list<const char*>*>(arg)));
      },
      &names);
}

}  // namespace green
