#include "interpose/executable_stacks.h"

#include <link.h>

#include "interpose/loaded_object.h"

namespace green {

bool SomeObjectWantsExecutableStack() {
  return dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void*) {
        CodeObject code;
        if (!DescribeObject(*info, &code)) return 0;  // the vDSO has none, and does not count
        for (int n = 0; n < info->dlpi_phnum; ++n)
          if (info->dlpi_phdr[n].p_type == PT_GNU_STACK)
            return static_cast<int>(info->dlpi_phdr[n].p_flags & PF_X);
        return 1;
      },
      nullptr);
}

}  // namespace green
