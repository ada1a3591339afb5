#include "workloads/generate/readers_text.h"

#include <string_view>
#include <utility>

#include "proto/scenario.pb.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/generate/part_text.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using ReadersText = numasim::Workload::Readers;

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const ReadersText&>(view.message())) {}

  absl::StatusOr<ReadersPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadTimes();
  absl::Status ReadWhere();
  absl::Status ReadFiles();
  absl::Status ReadDraw(std::string_view field, ValueUnit unit, Distribution& out) const;

  const MessageView& view_;
  const GuestsContext& context_;
  const ReadersText& text_;
  ReadersPlan plan_;
};

absl::StatusOr<ReadersPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  for (const Step step : {&Reader::ReadName, &Reader::ReadTimes, &Reader::ReadWhere, &Reader::ReadFiles}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{
      .field = "readers", .what = "a workload", .expected = "a name", .example = "web"};
  return ReadPartName(view_, text_, kWords, plan_);
}

absl::Status Reader::ReadTimes() {
  return ReadPartTimes(view_, text_, "the readers", context_.stop_after_ns, plan_);
}

absl::Status Reader::ReadWhere() {
  plan_.count = text_.count();
  absl::StatusOr<std::vector<NodeId>> nodes = ReadGroupNodes(view_, text_.node(), context_.nodes);
  if (nodes.ok()) plan_.nodes = *std::move(nodes);
  return nodes.status();
}

absl::Status Reader::ReadDraw(std::string_view field, ValueUnit unit, Distribution& out) const {
  absl::StatusOr<Distribution> read = ReadDistribution(view_.Nested(field), unit, context_.files);
  if (read.ok()) out = *std::move(read);
  return read.status();
}

absl::Status Reader::ReadFiles() {
  if (!text_.has_files())
    return view_.MistakeWithoutValue("files", "is missing; expected a number of files, such as files: 100");
  if (!text_.has_size())
    return view_.MistakeWithoutValue("size", "is missing; expected such as size { constant: \"16M\" }");
  plan_.files = text_.files();
  plan_.popularity = text_.popularity();
  if (text_.has_popularity() && plan_.files == 1)
    context_.warnings.push_back(view_.Warning("popularity", "has no effect: there is one file"));
  if (absl::Status status = ReadDraw("size", ValueUnit::kSize, plan_.size); !status.ok()) return status;
  if (plan_.size.Greatest() == 0)
    return view_.MistakeWithoutValue("size", "is always 0; expected sizes such as constant: \"16M\"");
  if (!text_.has_pause()) return absl::OkStatus();
  return ReadDraw("pause", ValueUnit::kTime, plan_.pause);
}

}  // namespace

absl::StatusOr<ReadersPlan> ReadReaders(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
