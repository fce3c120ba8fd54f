// Reads what the loader tells of an object.
#pragma once

#include "interpose/code_object.h"

struct dl_phdr_info;

namespace green {

// False for objects that are never patched: the vDSO, this library, and what has no code.
bool DescribeObject(const dl_phdr_info& info, CodeObject* out);

}  // namespace green
