#include "arch/x86_64/signal_frame.h"

#include "arch/x86_64/user_memory.h"

namespace green {
namespace {

// The kernel's struct ucontext, which libc's begins with; a siginfo follows.
struct KernelContext {
  uint64_t flags, link, stack[3];
  uint64_t registers[23];
  uint64_t vectors;  // the vector state's address, or 0
  uint64_t reserved[8];
  uint64_t mask;
};
static_assert(sizeof(KernelContext) == 304);

constexpr int kSegments = 18;  // of the registers: REG_CSGSFS

struct Frame {
  uint64_t restorer;
  KernelContext context;
  uint8_t info[128];
};

// struct _fpx_sw_bytes (asm/sigcontext.h), in the last bytes of the FXSAVE area.
constexpr size_t kFxsaveSize = 512, kSoftwareBytes = 464;
constexpr uint32_t kExtendedMagic = 0x46505853;

size_t VectorBytes(uint64_t vectors) {
  auto words = reinterpret_cast<const uint32_t*>(vectors + kSoftwareBytes);
  return words[0] == kExtendedMagic ? words[1] : kFxsaveSize;
}

// Top down, as a guard lies below: no write reaches over it into what is not this stack's.
bool IsThere(uintptr_t from, uintptr_t top) {
  constexpr uintptr_t kPage = 4096;
  uint32_t unused;
  for (uintptr_t at = (top - 4) & ~3ul;; at -= kPage) {
    if (at < from) at = from & ~3ul;
    if (!green_load32(reinterpret_cast<void*>(at), &unused)) return false;
    if (at <= from) return true;
  }
}

}  // namespace

void* CopySignalFrame(const void* uc, uintptr_t top, uintptr_t lowest) {
  auto from = reinterpret_cast<const Frame*>(static_cast<const char*>(uc) - sizeof(uint64_t));
  const uint64_t old_vectors = from->context.vectors;
  const size_t bytes = old_vectors ? VectorBytes(old_vectors) : 0;
  const uint64_t vectors = (top - bytes) & ~63ul;
  // At a function's entry the stack is 8 off a multiple of 16.
  const uintptr_t to = ((vectors - sizeof(Frame)) & ~15ul) - 8;
  if (to > top || to < lowest || !IsThere(to, top)) return nullptr;
  auto frame = reinterpret_cast<Frame*>(to);
  if (old_vectors && !green_copy(reinterpret_cast<void*>(vectors),
                                 reinterpret_cast<const void*>(old_vectors), bytes))
    return nullptr;
  if (!green_copy(frame, from, sizeof(Frame))) return nullptr;
  if (old_vectors) frame->context.vectors = vectors;
  return &frame->context;
}

void* SignalFrameInfo(void* uc) { return static_cast<char*>(uc) + sizeof(KernelContext); }

bool LooksLikeSignalFrame(uintptr_t at) {
  constexpr uint64_t kFlags = 7, kUserCode = 0x33;  // UC_*; of 64 bits
  constexpr uintptr_t kFarthest = 64 << 10;         // the vector state, with AMX 11 KiB
  const auto frame = reinterpret_cast<const Frame*>(at);
  uint64_t segments;
  KernelContext c;
  return at % 16 == 8 && CopyIn(&segments, &frame->context.registers[kSegments]) &&
         (segments & 0xffff) == kUserCode && CopyIn(&c, &frame->context) && !(c.flags & ~kFlags) &&
         !c.link && c.vectors % 64 == 0 && (!c.vectors || c.vectors - at < kFarthest);
}

}  // namespace green
