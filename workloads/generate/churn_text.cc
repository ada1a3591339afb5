#include "workloads/generate/churn_text.h"

#include <string>
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

using ChurnText = numasim::Workload::Churn;

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const ChurnText&>(view.message())) {}

  absl::StatusOr<ChurnPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadWhere();
  absl::Status ReadShares();
  absl::Status ReadRounds();
  void WarnWithoutRounds(std::string_view field) const;

  const MessageView& view_;
  const GuestsContext& context_;
  const ChurnText& text_;
  ChurnPlan plan_;
};

absl::StatusOr<ChurnPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  for (const Step step : {&Reader::ReadName, &Reader::ReadWhere, &Reader::ReadShares, &Reader::ReadRounds}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{.field = "churn", .what = "a workload", .expected = "a name", .example = "slab"};
  return ReadPartName(view_, text_, kWords, plan_);
}

absl::Status Reader::ReadWhere() {
  plan_.start_ns = *ParseDuration(text_.start());
  plan_.cpus = text_.cpus();
  plan_.order = text_.order();
  if (text_.migratetype() == "reclaimable") plan_.type = Migratetype::kReclaimable;
  absl::StatusOr<std::vector<NodeId>> nodes = ReadGroupNodes(view_, text_.node(), context_.nodes);
  if (nodes.ok()) plan_.nodes = *std::move(nodes);
  return nodes.status();
}

absl::Status Reader::ReadShares() {
  if (!text_.has_fill())
    return view_.MistakeWithoutValue("fill", "is missing; expected such as fill: \"40%\"");
  if (absl::Status status = ReadShare(view_, "fill", text_.fill(), plan_.fill); !status.ok()) return status;
  if (plan_.fill == 0) return view_.Mistake("fill", "is no memory at all; expected more than 0");
  return ReadShare(view_, "free", text_.free(), plan_.free);
}

void Reader::WarnWithoutRounds(std::string_view field) const {
  context_.warnings.push_back(view_.Warning(field, "has no effect: there are no rounds"));
}

absl::Status Reader::ReadRounds() {
  plan_.rounds = text_.rounds();
  plan_.pause_ns = *ParseDuration(text_.pause());
  if (absl::Status status = ReadShare(view_, "renew", text_.renew(), plan_.renew); !status.ok())
    return status;
  if (plan_.rounds == 0) {
    if (text_.has_renew()) WarnWithoutRounds("renew");
    if (text_.has_pause()) WarnWithoutRounds("pause");
    return absl::OkStatus();
  }
  if (plan_.free == kWholeShare)
    return view_.Mistake("free", "leaves nothing for the rounds to renew; expected less, or no rounds");
  if (plan_.renew == 0)
    return view_.Mistake("renew", "is nothing to renew; expected more than 0, or no rounds");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChurnPlan> ReadChurn(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
