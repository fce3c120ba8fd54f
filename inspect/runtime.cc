#include "inspect/runtime.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace green::inspect {
namespace {

constexpr size_t kMaxHeaders = 64;
constexpr size_t kMaxNotes = 64 << 10;

size_t Padded(size_t n) { return (n + 3) & ~size_t{3}; }

// The address that the note of libgreen in a PT_NOTE segment at `base` points to; 0 if none.
uint64_t InNotes(const std::string& notes, uint64_t base) {
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const size_t name = at + sizeof note;
    if (note.n_namesz > kMaxNotes || note.n_descsz > kMaxNotes) return 0;
    const size_t contents = name + Padded(note.n_namesz);
    const size_t next = contents + Padded(note.n_descsz);
    if (next > notes.size()) return 0;
    if (note.n_type == kInspectNote && note.n_namesz == sizeof kInspectOwner &&
        note.n_descsz >= sizeof(int64_t) &&
        std::memcmp(notes.data() + name, kInspectOwner, sizeof kInspectOwner) == 0) {
      int64_t distance;
      std::memcpy(&distance, notes.data() + contents, sizeof distance);
      return base + contents + static_cast<uint64_t>(distance);
    }
    at = next;
  }
  return 0;
}

uint64_t FindTables(const Memory& memory, uint64_t image) {
  Elf64_Ehdr header;
  if (!memory.Read(image, &header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxHeaders) return 0;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!memory.Read(image + header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr)))
    return 0;
  uint64_t first = 0;
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type == PT_LOAD && s.p_offset == 0) first = s.p_vaddr;
  }
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type != PT_NOTE || s.p_memsz > kMaxNotes) continue;
    std::string notes(s.p_memsz, '\0');
    const uint64_t at = image - first + s.p_vaddr;
    if (!memory.Read(at, notes.data(), notes.size())) continue;
    if (uint64_t found = InNotes(notes, at)) return found;
  }
  return 0;
}

template <typename T>
bool Within(const T& offsets, uint32_t limit) {
  // A struct of offsets: `size` first, then offsets of members of at most 8 bytes.
  uint32_t words[sizeof(T) / 4];
  std::memcpy(words, &offsets, sizeof offsets);
  if (words[0] < 16 || words[0] > limit) return false;
  return std::all_of(words + 1, words + sizeof(T) / 4,
                     [&](uint32_t w) { return w <= words[0] - 8; });
}

}  // namespace

bool Plausible(const Inspect& t) {
  InspectFrame frame = t.frame;
  if (frame.program_rsp > 4096 || frame.slot_mask > 4095 || frame.slot_site > frame.slot_mask)
    return false;
  frame.program_rsp = frame.slot_mask = frame.slot_site = 0;
  const InspectTrace& trace = t.trace;
  if (trace.event_size != sizeof(TraceEvent) || trace.capacity < 64 || trace.capacity > 1 << 20 ||
      (trace.capacity & (trace.capacity - 1)) || trace.ring_count > 1024 || trace.ring_size < 16 ||
      trace.ring_size > 4096 || trace.head > trace.ring_size - 8 ||
      trace.events > trace.ring_size - 8)
    return false;
  if (t.sites.count > 1 << 16 || t.sites.size < 16 || t.sites.size > 4096 ||
      t.sites.key > t.sites.size - 8 || t.sites.counter > t.sites.size - 8 ||
      t.sites.time > t.sites.size - 8)
    return false;
  return t.size == sizeof t && Within(t.task, 8192) && t.task.name <= t.task.size - 16 &&
         Within(t.worker, 1 << 16) && t.worker.delays <= t.worker.size - 8 * kDelayBuckets &&
         Within(t.carrier, 1 << 16) && Within(frame, 4096) && Within(t.context, 4096) &&
         t.chunk_tasks >= 16 && t.chunk_tasks <= 4096 && t.max_tasks <= 1 << 21;
}

Runtime FindRuntime(const Memory& memory, const std::vector<Mapping>& maps) {
  Runtime found;
  for (const Mapping& m : maps) {
    if (m.offset != 0 || !m.inode || !m.readable) continue;
    const uint64_t at = FindTables(memory, m.begin);
    if (!at || !memory.Read(at, &found.tables)) continue;
    const Inspect& t = found.tables;
    found.path = m.path;
    found.state = t.magic == 0                   ? RuntimeState::kDormant
                  : t.magic != kInspectMagic     ? RuntimeState::kCorrupt
                  : t.version != kInspectVersion ? RuntimeState::kOtherVersion
                  : Plausible(t)                 ? RuntimeState::kRunning
                                                 : RuntimeState::kCorrupt;
    return found;
  }
  return found;
}

}  // namespace green::inspect
