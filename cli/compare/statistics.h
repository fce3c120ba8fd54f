// Figures of repeated runs.
#pragma once

#include <optional>
#include <vector>

namespace green::cli {

struct Summary {
  double median = 0;
  double least = 0;
  double most = 0;
  int runs = 0;

  // Half the distance from the least to the most, as a part of the median: 0.03 is
  // "give or take 3 percent". 0 for a median of 0.
  double Spread() const;
};

// Nothing for no runs. Of an even number of runs, the median is the mean of the two
// in the middle.
std::optional<Summary> Summarize(std::vector<double> runs);

// How far apart two sets of runs are.
enum class Difference {
  kUnclear,  // Their ranges overlap, or they are within 2 percent of each other, or
             // there are fewer than two runs of either.
  kLess,
  kMore,
};

// Of `other` against `base`.
Difference Compare(const Summary& base, const Summary& other);

// other.median / base.median; nothing where that has no meaning.
std::optional<double> Ratio(const Summary& base, const Summary& other);

}  // namespace green::cli
