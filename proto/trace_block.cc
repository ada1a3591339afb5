#include "proto/trace_block.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

// "" if the run is sound and starts after `previous_ns`.
std::string RunFault(const trace::SampleRun& run, int64_t previous_ns) {
  if (run.first_ns() <= previous_ns || run.first_ns() < 0) {
    return absl::StrCat("samples at ", run.first_ns(), " ns do not follow those at ", previous_ns, " ns");
  }
  if (run.count() < 1) return absl::StrCat("a run of ", run.count(), " samples");
  if (run.count() == 1) return "";
  if (run.interval_ns() < 1) return absl::StrCat("a sampling interval of ", run.interval_ns(), " ns");
  if ((std::numeric_limits<int64_t>::max() - run.first_ns()) / run.interval_ns() < run.count() - 1) {
    return absl::StrCat(run.count(), " samples every ", run.interval_ns(), " ns pass the end of time");
  }
  return "";
}

std::string ChangesFault(const trace::ColumnChanges& changes, uint64_t rows) {
  const int count = changes.delta_size();
  if (changes.row_gap_size() != 0 && changes.row_gap_size() != count) {
    return absl::StrCat("column ", changes.column(), " has ", count, " changes in ", changes.row_gap_size(),
                        " rows");
  }
  uint64_t used = changes.row_gap_size() == 0 ? count : 0;
  for (uint32_t gap : changes.row_gap()) {
    if (gap == 0) return absl::StrCat("column ", changes.column(), " changes twice in a row");
    used += gap;
  }
  if (count > 0 && used <= rows) return "";
  return absl::StrCat("column ", changes.column(), " has ", count, " changes up to row ", used, " of ", rows);
}

void Widen(int64_t first_ns, int64_t last_ns, trace::BlockIndex* index) {
  if (!index->has_first_ns()) {
    index->set_first_ns(first_ns);
    index->set_last_ns(last_ns);
  }
  index->set_first_ns(std::min(index->first_ns(), first_ns));
  index->set_last_ns(std::max(index->last_ns(), last_ns));
}

uint32_t Rows(const trace::Block& block) {
  int64_t rows = 0;
  for (const trace::SampleRun& run : block.run()) rows += run.repeat() ? 0 : run.count();
  return static_cast<uint32_t>(rows);
}

}  // namespace

std::string BlockFault(const trace::Block& block, size_t columns) {
  if (block.base_size() != 0 && static_cast<size_t>(block.base_size()) != columns) {
    return absl::StrCat("values of ", block.base_size(), " columns, not of ", columns);
  }
  uint64_t rows = 0;
  int64_t previous_ns = -1;
  for (const trace::SampleRun& run : block.run()) {
    if (std::string fault = RunFault(run, previous_ns); !fault.empty()) return fault;
    previous_ns = LastTime(run);
    if (!run.repeat()) rows += run.count();
    if (rows > kMaxRowsPerBlock) return absl::StrCat("more than ", kMaxRowsPerBlock, " rows");
  }
  for (const trace::Event& event : block.event()) {
    if (event.time_ns() < 0) return absl::StrCat("an event at ", event.time_ns(), " ns");
  }
  int64_t previous_column = -1;
  for (const trace::ColumnChanges& changes : block.changes()) {
    if (changes.column() <= previous_column || changes.column() >= columns) {
      return absl::StrCat("column ", changes.column(), " of ", columns, " after column ", previous_column);
    }
    previous_column = changes.column();
    if (std::string fault = ChangesFault(changes, rows); !fault.empty()) return fault;
  }
  return "";
}

trace::BlockIndex IndexOf(const trace::Block& block, uint64_t offset) {
  trace::BlockIndex index;
  index.set_offset(offset);
  uint64_t samples = 0;
  for (const trace::SampleRun& run : block.run()) {
    samples += run.count();
    Widen(run.first_ns(), LastTime(run), &index);
  }
  for (const trace::Event& event : block.event()) Widen(event.time_ns(), event.time_ns(), &index);
  for (const trace::Span& span : block.span()) Widen(span.began_ns(), span.ended_ns(), &index);
  index.set_samples(samples);
  index.set_events(block.event_size());
  index.set_locks(block.lock_size());
  if (block.operation_size() > 0) index.set_operations(block.operation_size());
  if (block.span_size() > 0) index.set_spans(block.span_size());
  if (block.pageblocks_size() > 0) index.set_pageblock_maps(block.pageblocks_size());
  return index;
}

void TraceIndexBuilder::AddBlock(const trace::Block& block, uint64_t offset) {
  const trace::BlockIndex& index = *footer_.add_block() = IndexOf(block, offset);
  if (index.has_first_ns()) {
    const bool first = !footer_.has_first_ns();
    footer_.set_first_ns(first ? index.first_ns() : std::min(footer_.first_ns(), index.first_ns()));
    footer_.set_last_ns(first ? index.last_ns() : std::max(footer_.last_ns(), index.last_ns()));
  }
  footer_.set_samples(footer_.samples() + index.samples());
  footer_.set_events(footer_.events() + index.events());
  footer_.set_locks(footer_.locks() + index.locks());
  if (index.operations() > 0) footer_.set_operations(footer_.operations() + index.operations());
  if (index.spans() > 0) footer_.set_spans(footer_.spans() + index.spans());
  if (index.pageblock_maps() > 0)
    footer_.set_pageblock_maps(footer_.pageblock_maps() + index.pageblock_maps());
  for (const trace::Event& event : block.event()) ++event_kinds_[event.kind()];
}

trace::Footer TraceIndexBuilder::Build() const {
  trace::Footer footer = footer_;
  for (const auto& [kind, count] : event_kinds_) {
    trace::KindCount* entry = footer.add_event_kind();
    entry->set_kind(kind);
    entry->set_count(count);
  }
  return footer;
}

BlockRows::BlockRows(const trace::Block& block, size_t columns)
    : values_(block.base().begin(), block.base().end()), row_start_(Rows(block) + 1, 0) {
  values_.resize(columns, 0);
  // A counting sort by row: sizes first, then each change to its place.
  const auto for_each_change = [&block](auto&& visit) {
    for (const trace::ColumnChanges& changes : block.changes()) {
      uint32_t end = 0;
      for (int i = 0; i < changes.delta_size(); ++i) {
        end += changes.row_gap_size() == 0 ? 1 : changes.row_gap(i);
        visit(end - 1, Change{changes.column(), changes.delta(i)});
      }
    }
  };
  for_each_change([this](uint32_t row, const Change&) { ++row_start_[row]; });
  uint32_t total = 0;
  for (uint32_t& start : row_start_) total += std::exchange(start, total);
  changes_.resize(total);
  std::vector<uint32_t> place = row_start_;
  for_each_change([this, &place](uint32_t row, const Change& change) { changes_[place[row]++] = change; });
}

void BlockRows::Advance(uint32_t row) {
  for (uint32_t i = row_start_[next_row_]; i < row_start_[row + 1]; ++i) {
    int64_t& value = values_[changes_[i].column];
    value = static_cast<int64_t>(static_cast<uint64_t>(value) + static_cast<uint64_t>(changes_[i].delta));
  }
  next_row_ = row + 1;
}

uint32_t BlockRows::NextChange() const {
  uint32_t row = next_row_;
  while (row + 1 < row_start_.size() && row_start_[row] == row_start_[row + 1]) ++row;
  return row;
}

}  // namespace numasim
