// The samples of a trace as a plot needs them: few enough rows for a page, whatever the trace's length.
//
// At first a row is a sample in which any column differs from the sample before it. When there are more rows
// than wanted, each row stands for a stretch of time: of a column it keeps the least and the greatest value
// in it, in the order in which they came, and the value at its end, which is what stands until the next row.
// So no extreme is lost, only when in the stretch it was. Stretches in which nothing changes have no row.
//
//   samples   5 5 9 1 6 6 6 6 | 6 6 6 6 6 6 6 6 | 7 ...      a stretch of eight samples each
//   rows      9 1 6                               7 7 7
//
// Owned by whoever reads the trace; knows no names and no form of output.
#ifndef NUMASIM_CLI_REPORT_THINNED_SAMPLES_H_
#define NUMASIM_CLI_REPORT_THINNED_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "proto/trace_reader.h"

namespace numasim {

// What a column was in a row's time. All three are one value where the row is of one sample.
struct ThinnedCell {
  int64_t earlier = 0;  // least or greatest, whichever came first
  int64_t later = 0;    // the other
  int64_t last = 0;

  static ThinnedCell Of(int64_t value) { return {value, value, value}; }
  // Goes on with what came next.
  void Append(const ThinnedCell& next);
  bool operator==(const ThinnedCell&) const = default;
};

class ThinnedSamples {
 public:
  // `most_rows`: at least 2; memory is 24 bytes for each column of each row.
  ThinnedSamples(size_t columns, size_t most_rows) : columns_(columns), most_rows_(most_rows) {}

  // By rising time, from 0 on.
  void Add(const SampleSpan& samples);

  // Makes each row stand for at least twice the time. No effect where there is one row or none.
  void Thin();

  size_t columns() const { return columns_; }
  size_t rows() const { return times_.size(); }
  // Of the first sample in the row's time that differs from the one before it.
  const std::vector<int64_t>& times() const { return times_; }
  absl::Span<const ThinnedCell> row(size_t i) const {
    return absl::MakeConstSpan(cells_).subspan(i * columns_, columns_);
  }
  // Of a row; 0: each row is a sample.
  uint64_t stretch_ns() const { return stretch_ns_; }

 private:
  uint64_t StretchOf(int64_t time_ns) const;
  bool InLastRow(int64_t time_ns) const;
  bool RepeatsLast(const SampleSpan& samples) const;
  // Puts the rows together that are of one stretch.
  void Regroup();

  const size_t columns_;
  const size_t most_rows_;
  uint64_t stretch_ns_ = 0;
  std::vector<int64_t> times_;
  std::vector<ThinnedCell> cells_;  // row by row
};

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_THINNED_SAMPLES_H_
