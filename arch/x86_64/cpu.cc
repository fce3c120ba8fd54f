#include <cpuid.h>

#include <cstddef>

#include "arch/x86_64/base_registers.h"
#include "arch/x86_64/vector_state.h"

namespace green {

bool g_has_fsgsbase = false;
size_t g_xsave_size = 0;

void DetectVectorState() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return;
  if (!__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & 2)) return;  // bit 1: XSAVEC
  // Leaf 13.0 EBX: the standard-format size for the components enabled in XCR0; the compacted
  // form is never larger.
  __get_cpuid_count(13, 0, &a, &b, &c, &d);
  g_xsave_size = (b + 63) & ~size_t{63};
}

}  // namespace green
