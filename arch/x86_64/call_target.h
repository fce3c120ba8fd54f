// Which function a call instruction calls, from the address that it returns to.
#pragma once

#include <cstdint>

namespace green {

// By the bytes before `return_address`: a direct call, also by way of a PLT entry, or one by way of
// memory at a fixed place (-fno-plt). 0: no such call, or nothing is mapped there. Read by
// copy(to, address, bytes), false if they are not there: of this process or of another.
template <typename Copy>
uintptr_t CallTarget(uintptr_t return_address, Copy copy) {
  constexpr uint8_t kCallRelative = 0xe8, kIndirect = 0xff, kCallMemory = 0x15, kJumpMemory = 0x25,
                    kBnd = 0xf2;
  constexpr uint32_t kEndbr64 = 0xfa1e0ff3;
  // The last operand of an instruction, counted from its end.
  const auto relative = [&](uintptr_t end) -> uintptr_t {
    int32_t offset;
    if (!copy(&offset, end - 4, sizeof offset)) return 0;
    return end + static_cast<uintptr_t>(static_cast<intptr_t>(offset));
  };
  const auto pointer = [&](uintptr_t at) -> uintptr_t {
    uintptr_t value;
    return at && copy(&value, at, sizeof value) ? value : 0;
  };
  uint8_t bytes[6];
  if (!copy(bytes, return_address - sizeof bytes, sizeof bytes)) return 0;
  if (bytes[0] == kIndirect && bytes[1] == kCallMemory) return pointer(relative(return_address));
  if (bytes[1] != kCallRelative) return 0;
  const uintptr_t target = relative(return_address);
  // Behind a PLT entry's jump (AMD64 psABI, 5.2, and its form with endbr64), or the function
  // itself.
  uint32_t first;
  if (!target || !copy(&first, target, sizeof first)) return 0;
  const uintptr_t jump = target + (first == kEndbr64 ? 4 : 0);
  uint8_t code[4];
  if (!copy(code, jump, sizeof code)) return 0;
  const int prefix = code[0] == kBnd ? 1 : 0;
  if (code[prefix] != kIndirect || code[prefix + 1] != kJumpMemory) return target;
  return pointer(relative(jump + static_cast<uintptr_t>(prefix) + 6));
}

}  // namespace green
