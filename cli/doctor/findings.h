// What green doctor found out, in plain words.
#pragma once

#include <string>
#include <vector>

namespace green::cli {

struct Finding {
  enum Level {
    kGood,
    kNote,  // Works, but there is something to know.
    kBad,   // libgreen cannot serve it.
  };

  Level level;
  std::string text;
  std::string advice;  // What to do; empty if there is nothing to do.
};

using Findings = std::vector<Finding>;

}  // namespace green::cli
