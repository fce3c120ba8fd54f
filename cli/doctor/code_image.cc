#include "cli/doctor/code_image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace green::cli {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSaneSize = uint64_t{4} << 30;  // A damaged header may say anything.

uint64_t PageDown(uint64_t address) { return address & ~(kPage - 1); }

bool ReadAt(int fd, uint64_t offset, void* to, size_t size) {
  return pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

std::vector<Elf64_Phdr> ProgramHeaders(int fd) {
  Elf64_Ehdr header;
  if (!ReadAt(fd, 0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
      header.e_phentsize != sizeof(Elf64_Phdr)) {
    return {};
  }
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  if (!ReadAt(fd, header.e_phoff, headers.data(), headers.size() * sizeof(Elf64_Phdr))) return {};
  return headers;
}

bool IsLibc(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.starts_with("libc.so") || name.starts_with("ld-linux") ||
         name.starts_with("libpthread");
}

}  // namespace

CodeImage::CodeImage(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (!Load(fd, path)) code_.code_count = 0;
  close(fd);
}

CodeImage::~CodeImage() {
  if (memory_) munmap(memory_, size_);
}

// The segments that libgreen looks at are those of interpose/loaded_object.cc.
bool CodeImage::Load(int fd, const std::string& path) {
  const std::vector<Elf64_Phdr> headers = ProgramHeaders(fd);
  uint64_t low = UINT64_MAX, high = 0;
  for (const Elf64_Phdr& p : headers) {
    if (p.p_type != PT_LOAD) continue;
    if (p.p_memsz > kSaneSize || p.p_filesz > p.p_memsz) return false;
    low = std::min(low, PageDown(p.p_vaddr));
    high = std::max(high, p.p_vaddr + p.p_memsz);
  }
  if (low >= high || high - low > kSaneSize) return false;
  size_ = high - low;
  void* got = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) return false;
  memory_ = static_cast<uint8_t*>(got);
  code_.is_libc = IsLibc(path);
  for (const Elf64_Phdr& p : headers) {
    if (p.p_type == PT_LOAD && !ReadAt(fd, p.p_offset, memory_ + (p.p_vaddr - low), p.p_filesz)) {
      return false;
    }
  }
  for (const Elf64_Phdr& p : headers) {
    if (p.p_vaddr < low || p.p_vaddr + p.p_filesz > high) continue;
    const uint8_t* at = memory_ + (p.p_vaddr - low);
    const CodeObject::Segment segment{at, at + p.p_filesz};
    const auto rights = p.p_flags & (PF_X | PF_W | PF_R);
    if (p.p_type == PT_GNU_EH_FRAME) code_.index = OpenUnwindIndex(at, p.p_memsz);
    if (p.p_type != PT_LOAD) continue;
    if (rights == (PF_X | PF_R)) {
      if (code_.code_count == CodeObject::kMaxSegments) return false;
      code_.code[code_.code_count++] = segment;
    } else if (rights == PF_R && code_.constants_count < CodeObject::kMaxSegments) {
      code_.constants[code_.constants_count++] = segment;
    }
  }
  return true;
}

uintptr_t CodeImage::AddressIn(uintptr_t lowest, const uint8_t* at) const {
  return lowest + static_cast<uintptr_t>(at - memory_);
}

}  // namespace green::cli
