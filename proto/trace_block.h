// What a trace's block says beyond its fields: the checks a block must pass, its entry in the trace's index,
// and its rows. Used by TraceWriter and TraceReader, so that both mean the same by a block.
#ifndef NUMASIM_PROTO_TRACE_BLOCK_H_
#define NUMASIM_PROTO_TRACE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "proto/trace.pb.h"

namespace numasim {

// The writer starts a new block before one has more rows; so the reader need not believe more.
inline constexpr uint32_t kMaxRowsPerBlock = 4096;

// "" if `block` can be decoded with `columns` columns, else what is wrong with it.
std::string BlockFault(const trace::Block& block, size_t columns);

// Time of a run's last sample. The run has passed BlockFault.
inline int64_t LastTime(const trace::SampleRun& run) {
  return run.first_ns() + (run.count() - 1) * run.interval_ns();
}

trace::BlockIndex IndexOf(const trace::Block& block, uint64_t offset);

// Collects the footer of a trace, block by block.
class TraceIndexBuilder {
 public:
  // `offset`: of the block's frame in the file.
  void AddBlock(const trace::Block& block, uint64_t offset);

  trace::Footer Build() const;

 private:
  trace::Footer footer_;
  std::map<std::string, uint64_t> event_kinds_;
};

// Walks the rows of a block that has passed BlockFault. The block must outlive the walk.
class BlockRows {
 public:
  BlockRows(const trace::Block& block, size_t columns);

  // Goes to `row`; rows only rise.
  void Advance(uint32_t row);
  // The first row after the current one in which a column changes, or the number of rows.
  uint32_t NextChange() const;
  absl::Span<const int64_t> values() const { return values_; }

 private:
  struct Change {
    uint32_t column;
    int64_t delta;
  };

  std::vector<int64_t> values_;
  std::vector<Change> changes_;      // by row
  std::vector<uint32_t> row_start_;  // of each row's changes in changes_, and the end
  uint32_t next_row_ = 0;            // the first whose changes are not in values_
};

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_BLOCK_H_
