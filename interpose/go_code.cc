#include "interpose/go_code.h"

#include <link.h>
#include <string.h>

namespace green {
namespace {

constexpr char kOwner[] = "Go\0";  // with its padding, as in the file

// elf(5): name and description are each padded to the segment's alignment, 4 or 8.
bool HasNote(uintptr_t at, size_t size, size_t align) {
  const uintptr_t end = at + size;
  while (end - at >= sizeof(ElfW(Nhdr))) {
    auto note = reinterpret_cast<const ElfW(Nhdr)*>(at);
    const uintptr_t name = at + sizeof *note;
    if (note->n_namesz == sizeof kOwner && end - name >= sizeof kOwner &&
        memcmp(reinterpret_cast<const void*>(name), kOwner, sizeof kOwner) == 0)
      return true;
    const uintptr_t next = (name + note->n_namesz + align - 1) / align * align;
    const uintptr_t after = (next + note->n_descsz + align - 1) / align * align;
    if (after <= at || after > end) return false;
    at = after;
  }
  return false;
}

int Look(dl_phdr_info* info, size_t, void*) {
  for (int n = 0; n < info->dlpi_phnum; ++n) {
    const ElfW(Phdr)& p = info->dlpi_phdr[n];
    if (p.p_type == PT_NOTE &&
        HasNote(info->dlpi_addr + p.p_vaddr, p.p_memsz, p.p_align == 8 ? 8 : 4))
      return 1;
  }
  return 0;
}

}  // namespace

bool HasGoCode() { return dl_iterate_phdr(Look, nullptr); }

}  // namespace green
