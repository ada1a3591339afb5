#include "workloads/generate/slab_text.h"

#include <utility>

#include "proto/scenario.pb.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/generate/part_text.h"

namespace numasim::workloads {
namespace {

using SlabText = numasim::Workload::Slab;

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const SlabText&>(view.message())) {}

  absl::StatusOr<SlabPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadTimes();
  absl::Status ReadWhere();
  absl::Status ReadGrowth();
  absl::Status ReadInUse();

  const MessageView& view_;
  const GuestsContext& context_;
  const SlabText& text_;
  SlabPlan plan_;
};

absl::StatusOr<SlabPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  for (const Step step :
       {&Reader::ReadName, &Reader::ReadTimes, &Reader::ReadWhere, &Reader::ReadGrowth, &Reader::ReadInUse}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{
      .field = "slab", .what = "a workload", .expected = "a name", .example = "dentry"};
  return ReadPartName(view_, text_, kWords, plan_);
}

absl::Status Reader::ReadTimes() {
  return ReadPartTimes(view_, text_, "the cache", context_.stop_after_ns, plan_);
}

absl::Status Reader::ReadWhere() {
  absl::StatusOr<std::vector<NodeId>> nodes = ReadGroupNodes(view_, text_.node(), context_.nodes);
  if (nodes.ok()) plan_.nodes = *std::move(nodes);
  return nodes.status();
}

absl::Status Reader::ReadGrowth() {
  plan_.order = text_.order();
  plan_.objects = text_.objects();
  plan_.grow = text_.grow();
  if (!text_.has_pause())
    return view_.MistakeWithoutValue(
        "pause", "is missing; expected how often it grows, such as pause { constant: \"10ms\" }");
  absl::StatusOr<Distribution> pause =
      ReadDistribution(view_.Nested("pause"), ValueUnit::kTime, context_.files);
  if (!pause.ok()) return pause.status();
  plan_.pause = *std::move(pause);
  if (plan_.pause.Greatest() == 0)
    return view_.MistakeWithoutValue("pause", "is always 0; expected times such as constant: \"10ms\"");
  return absl::OkStatus();
}

absl::Status Reader::ReadInUse() { return ReadShare(view_, "in_use", text_.in_use(), plan_.in_use); }

}  // namespace

absl::StatusOr<SlabPlan> ReadSlab(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
