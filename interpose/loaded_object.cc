#include "interpose/loaded_object.h"

#include <link.h>

#include "interpose/slot.h"

namespace green {
namespace {

bool StartsWith(const char* s, const char* prefix) {
  for (; *prefix; ++s, ++prefix)
    if (*s != *prefix) return false;
  return true;
}

const char* BaseName(const char* path) {
  const char* base = path;
  for (const char* p = path; *p; ++p)
    if (*p == '/') base = p + 1;
  return base;
}

}  // namespace

bool DescribeObject(const dl_phdr_info& info, CodeObject* out) {
  const char* name = BaseName(info.dlpi_name ? info.dlpi_name : "");
  if (StartsWith(name, "linux-vdso") || StartsWith(name, "linux-gate")) return false;
  out->is_libc = StartsWith(name, "libc.so") || StartsWith(name, "libc-2") ||
                 StartsWith(name, "ld-linux") || StartsWith(name, "ld-2") ||
                 StartsWith(name, "libpthread");
  for (int n = 0; n < info.dlpi_phnum; ++n) {
    const ElfW(Phdr)& p = info.dlpi_phdr[n];
    const auto* at = reinterpret_cast<const uint8_t*>(info.dlpi_addr + p.p_vaddr);
    const CodeObject::Segment segment{at, at + p.p_filesz};
    if (p.p_type == PT_GNU_EH_FRAME) out->index = OpenUnwindIndex(at, p.p_memsz);
    if (p.p_type != PT_LOAD) continue;
    // Code that the program may itself write to (PF_W) could change under us.
    if ((p.p_flags & (PF_X | PF_W | PF_R)) == (PF_X | PF_R)) {
      if (out->code_count == CodeObject::kMaxSegments) return false;
      out->code[out->code_count++] = segment;
    } else if ((p.p_flags & (PF_X | PF_W | PF_R)) == PF_R &&
               out->constants_count < CodeObject::kMaxSegments) {
      out->constants[out->constants_count++] = segment;
    }
  }
  return out->code_count > 0 && !out->CodeAt(reinterpret_cast<const uint8_t*>(green_slots));
}

}  // namespace green
