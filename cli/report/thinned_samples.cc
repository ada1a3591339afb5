#include "cli/report/thinned_samples.h"

#include <algorithm>

namespace numasim {
namespace {

// Widens the extremes by `value`, which comes after both: whichever of them stays is then the earlier one.
void Widen(ThinnedCell& cell, int64_t value) {
  const auto [least, greatest] = std::minmax(cell.earlier, cell.later);
  if (value < least) {
    cell.earlier = greatest;
    cell.later = value;
  } else if (value > greatest) {
    cell.earlier = least;
    cell.later = value;
  }
}

}  // namespace

void ThinnedCell::Append(const ThinnedCell& next) {
  Widen(*this, next.earlier);
  Widen(*this, next.later);
  last = next.last;
}

void ThinnedSamples::Add(const SampleSpan& samples) {
  if (RepeatsLast(samples)) return;
  while (times_.size() >= most_rows_ && !InLastRow(samples.first_ns)) Thin();
  if (InLastRow(samples.first_ns)) {
    ThinnedCell* const cells = &cells_[cells_.size() - columns_];
    for (size_t i = 0; i < columns_; ++i) {
      if (cells[i].last == samples.values[i]) continue;  // as most do from sample to sample
      Widen(cells[i], samples.values[i]);
      cells[i].last = samples.values[i];
    }
    return;
  }
  times_.push_back(samples.first_ns);
  for (const int64_t value : samples.values) cells_.push_back(ThinnedCell::Of(value));
}

void ThinnedSamples::Thin() {
  if (times_.size() < 2) return;
  const auto span = static_cast<uint64_t>(times_.back() - times_.front());
  const size_t before = times_.size();
  if (stretch_ns_ == 0) stretch_ns_ = span / before;
  while (times_.size() > (before + 1) / 2) {
    stretch_ns_ = stretch_ns_ <= span ? 2 * stretch_ns_ + 1 : span + 1;  // the last: one for all rows
    Regroup();
  }
}

uint64_t ThinnedSamples::StretchOf(int64_t time_ns) const {
  return static_cast<uint64_t>(time_ns - times_.front()) / stretch_ns_;
}

bool ThinnedSamples::InLastRow(int64_t time_ns) const {
  return stretch_ns_ > 0 && StretchOf(time_ns) == StretchOf(times_.back());
}

bool ThinnedSamples::RepeatsLast(const SampleSpan& samples) const {
  if (times_.empty()) return false;
  const auto last = absl::MakeConstSpan(cells_).last(columns_);
  return std::equal(last.begin(), last.end(), samples.values.begin(),
                    [](const ThinnedCell& cell, int64_t value) { return cell.last == value; });
}

void ThinnedSamples::Regroup() {
  size_t kept = 1;
  for (size_t i = 1; i < times_.size(); ++i) {
    const ThinnedCell* const from = &cells_[i * columns_];
    if (StretchOf(times_[i]) == StretchOf(times_[kept - 1])) {
      ThinnedCell* const to = &cells_[(kept - 1) * columns_];
      for (size_t c = 0; c < columns_; ++c) to[c].Append(from[c]);
    } else {
      times_[kept] = times_[i];
      std::copy_n(from, columns_, &cells_[kept * columns_]);
      ++kept;
    }
  }
  times_.resize(kept);
  cells_.resize(kept * columns_);
}

}  // namespace numasim
