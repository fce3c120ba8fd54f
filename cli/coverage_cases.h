// The libc functions that tests/coverage blocks in, from its own tables.
#pragma once

#include <span>
#include <string_view>

namespace green::cli {

struct CoverageCase {
  std::string_view family;       // the test is //tests/coverage:<family>
  std::string_view function;     // the case: a libc function, perhaps with the circumstances
  std::string_view system_call;  // where it blocks
};

std::span<const CoverageCase> CoverageCases();

}  // namespace green::cli
