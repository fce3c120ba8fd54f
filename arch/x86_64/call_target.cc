#include "arch/x86_64/call_target.h"

#include "arch/x86_64/user_memory.h"

namespace green {
namespace {

constexpr uint8_t kCallRelative = 0xe8, kIndirect = 0xff, kCallMemory = 0x15, kJumpMemory = 0x25,
                  kBnd = 0xf2;
constexpr uint32_t kEndbr64 = 0xfa1e0ff3;

// The last operand of an instruction, counted from its end.
uintptr_t Relative(uintptr_t end) {
  int32_t offset;
  if (!green_load32(reinterpret_cast<const void*>(end - 4), reinterpret_cast<uint32_t*>(&offset)))
    return 0;
  return end + static_cast<uintptr_t>(static_cast<intptr_t>(offset));
}

uintptr_t Pointer(uintptr_t at) {
  uint64_t value;
  return at && green_load64(reinterpret_cast<const void*>(at), &value) ? value : 0;
}

// Behind a PLT entry's jump (AMD64 psABI, 5.2, and its form with endbr64), or the function itself.
uintptr_t ThroughPlt(uintptr_t code) {
  uint8_t bytes[4];
  uint32_t first;
  if (!green_load32(reinterpret_cast<const void*>(code), &first)) return 0;
  uintptr_t jump = code + (first == kEndbr64 ? 4 : 0);
  if (!green_copy(bytes, reinterpret_cast<const void*>(jump), sizeof bytes)) return 0;
  const int prefix = bytes[0] == kBnd ? 1 : 0;
  if (bytes[prefix] != kIndirect || bytes[prefix + 1] != kJumpMemory) return code;
  return Pointer(Relative(jump + static_cast<uintptr_t>(prefix) + 6));
}

}  // namespace

uintptr_t CallTarget(uintptr_t return_address) {
  uint8_t bytes[6];
  if (!green_copy(bytes, reinterpret_cast<const void*>(return_address - sizeof bytes),
                  sizeof bytes))
    return 0;
  if (bytes[0] == kIndirect && bytes[1] == kCallMemory) return Pointer(Relative(return_address));
  if (bytes[1] != kCallRelative) return 0;
  const uintptr_t target = Relative(return_address);
  return target ? ThroughPlt(target) : 0;
}

}  // namespace green
