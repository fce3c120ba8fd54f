// Which function a call instruction calls, from the address that it returns to.
#pragma once

#include <cstdint>

namespace green {

// By the bytes before `return_address`: a direct call, also by way of a PLT entry, or one by way of
// memory at a fixed place (-fno-plt). 0: no such call, or nothing is mapped there.
uintptr_t CallTarget(uintptr_t return_address);

}  // namespace green
