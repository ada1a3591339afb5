#include "workloads/generate/guests_text.h"

#include <algorithm>
#include <utility>

#include "proto/scenario.pb.h"
#include "workloads/field_codecs.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/generate/part_text.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using GuestsText = numasim::Workload::Guests;
using ArrivalText = numasim::Workload::Arrival;

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const GuestsText&>(view.message())) {}

  absl::StatusOr<GuestPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadArrival();
  absl::Status ReadOneAfterAnother(const MessageView& view, const ArrivalText& text);
  absl::Status ReadClosedLoop(const MessageView& view, const ArrivalText::ClosedLoop& text);
  absl::Status ReadHowMany();
  absl::Status ReadMemory();
  absl::Status ReadNodes();
  absl::Status ReadPolicies();
  absl::StatusOr<GuestPolicy> ReadPolicy(int index) const;
  absl::Status ReadTouch();
  absl::Status ReadOnFailure();
  absl::Status ReadInto(const MessageView& view, std::string_view field, ValueUnit unit,
                        Distribution& out) const;

  const MessageView& view_;
  const GuestsContext& context_;
  const GuestsText& text_;
  GuestPlan plan_;
};

absl::StatusOr<GuestPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  plan_.share = Distribution(Constant{kWholeShare});
  for (const Step step :
       {&Reader::ReadName, &Reader::ReadArrival, &Reader::ReadHowMany, &Reader::ReadMemory,
        &Reader::ReadNodes, &Reader::ReadPolicies, &Reader::ReadTouch, &Reader::ReadOnFailure}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadInto(const MessageView& view, std::string_view field, ValueUnit unit,
                              Distribution& out) const {
  absl::StatusOr<Distribution> read = ReadDistribution(view.Nested(field), unit, context_.files);
  if (read.ok()) out = *std::move(read);
  return read.status();
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{
      .field = "guests", .what = "a group", .expected = "a name for the group", .example = "vms"};
  return ReadPartName(view_, text_, kWords, plan_);
}

absl::Status Reader::ReadArrival() {
  constexpr std::string_view kExpected = "expected exactly one of poisson, gap, file, closed_loop";
  if (!text_.has_arrival())
    return view_.MistakeWithoutValue("arrival",
                                     "is missing; expected such as arrival { poisson { mean: \"30s\" } }");
  const ArrivalText& text = text_.arrival();
  const MessageView view = view_.Nested("arrival");
  std::string_view found;
  for (const auto& [field, set] : {std::pair<std::string_view, bool>{"poisson", text.has_poisson()},
                                   {"gap", text.has_gap()},
                                   {"file", text.has_file()},
                                   {"closed_loop", text.has_closed_loop()}}) {
    if (!set) continue;
    if (!found.empty())
      return view.MistakeWithoutValue(field, Cat("is given beside ", found, "; ", kExpected));
    found = field;
  }
  if (found.empty()) return view.MistakeWithoutValue("poisson", Cat("is missing; ", kExpected));
  if (text.has_closed_loop()) return ReadClosedLoop(view.Nested("closed_loop"), text.closed_loop());
  return ReadOneAfterAnother(view, text);
}

absl::Status Reader::ReadOneAfterAnother(const MessageView& view, const ArrivalText& text) {
  if (text.has_file()) {
    absl::StatusOr<std::vector<int64_t>> times = ReadTimes(view, "file", text.file(), context_.files);
    if (!times.ok()) return times.status();
    plan_.arrival = TimesArrival{*std::move(times)};
    return absl::OkStatus();
  }
  GapArrival arrival;
  if (text.has_gap()) {
    if (absl::Status status = ReadInto(view, "gap", ValueUnit::kTime, arrival.gap); !status.ok())
      return status;
    if (arrival.gap.Greatest() == 0)
      return view.MistakeWithoutValue("gap", "lets no time pass between arrivals; expected more than 0");
    plan_.arrival = std::move(arrival);
    return absl::OkStatus();
  }
  // The gap distribution that it stands for.
  const MessageView poisson = view.Nested("poisson");
  if (!text.poisson().has_mean())
    return poisson.MistakeWithoutValue("mean", "is missing; expected such as mean: \"30s\"");
  const auto mean = static_cast<double>(*ParseDuration(text.poisson().mean()));
  if (mean == 0) return poisson.Mistake("mean", "lets no time pass between arrivals; expected more than 0");
  arrival.gap = Distribution(Continuous{.shape = ExponentialShape{mean}});
  if (arrival.gap.Greatest() >= static_cast<double>(std::numeric_limits<int64_t>::max()))
    return poisson.Mistake("mean", "is too long; expected at most 240000000s");
  plan_.arrival = std::move(arrival);
  return absl::OkStatus();
}

absl::Status Reader::ReadClosedLoop(const MessageView& view, const ArrivalText::ClosedLoop& text) {
  if (!text.has_guests())
    return view.MistakeWithoutValue("guests",
                                    "is missing; expected how many there are at once, such as guests: 20");
  ClosedLoop loop;
  loop.guests = text.guests();
  if (text.has_pause()) {
    if (absl::Status status = ReadInto(view, "pause", ValueUnit::kTime, loop.pause); !status.ok())
      return status;
  }
  plan_.arrival = std::move(loop);
  return absl::OkStatus();
}

// What ends the arrivals, which must be something that does.
absl::Status Reader::ReadHowMany() {
  plan_.start_ns = *ParseDuration(text_.start());
  if (text_.has_count()) plan_.count = text_.count();
  if (text_.has_until()) plan_.until_ns = *ParseDuration(text_.until());
  const auto* times = std::get_if<TimesArrival>(&plan_.arrival);
  if (plan_.until_ns.has_value() && *plan_.until_ns <= plan_.start_ns)
    return view_.Mistake("until", Cat("is not after start; expected more than ", text_.start()));
  if (times != nullptr && plan_.count.has_value() && *plan_.count > std::ssize(times->times))
    return view_.Mistake("count",
                         Cat("is more than the file has times; expected at most ", times->times.size()));
  const bool ends = plan_.count.has_value() || plan_.until_ns.has_value() || times != nullptr;
  if (!ends && !context_.stop_after_ns.has_value())
    return view_.MistakeWithoutValue(
        "count", "is missing; expected a count, until: \"1h\", or the scenario's stop_after");
  const auto* loop = std::get_if<ClosedLoop>(&plan_.arrival);
  if (loop != nullptr && plan_.count.has_value() && *plan_.count < loop->guests)
    return view_.Mistake("count", Cat("is less than are there at once; expected at least ", loop->guests));
  return absl::OkStatus();
}

absl::Status Reader::ReadMemory() {
  if (!text_.has_size())
    return view_.MistakeWithoutValue("size", "is missing; expected such as size { constant: \"4G\" }");
  if (absl::Status status = ReadInto(view_, "size", ValueUnit::kSize, plan_.size); !status.ok())
    return status;
  if (plan_.size.Greatest() == 0)
    return view_.MistakeWithoutValue("size", "gives no memory to any guest; expected more than 0");
  if (text_.has_lifetime()) {
    Distribution lifetime;
    if (absl::Status status = ReadInto(view_, "lifetime", ValueUnit::kTime, lifetime); !status.ok())
      return status;
    plan_.lifetime = std::move(lifetime);
  } else if (!context_.stop_after_ns.has_value()) {
    return view_.MistakeWithoutValue("lifetime",
                                     "is missing; expected such as lifetime { exponential { mean: \"1h\" } "
                                     "}, or the scenario's stop_after");
  }
  for (const std::string& name : text_.page_size()) plan_.pages.push_back(GuestPagesNamed(name));
  const std::vector<double> weights(text_.page_size_weight().begin(), text_.page_size_weight().end());
  absl::Status status = CheckWeights(view_, "page_size_weight", weights, "page_size", plan_.pages.size());
  if (plan_.pages.empty()) plan_.pages.push_back(GuestPages::kAnon);
  if (status.ok()) plan_.pages_up_to = SumsOf(weights, plan_.pages.size());
  return status;
}

absl::Status Reader::ReadNodes() {
  absl::StatusOr<std::vector<NodeId>> nodes = ReadGroupNodes(view_, text_.node(), context_.nodes);
  if (!nodes.ok()) return nodes.status();
  plan_.nodes = *std::move(nodes);
  if (text_.placement() == "most_free") plan_.placement = GuestPlan::Placement::kMostFree;
  if (text_.placement() == "random") plan_.placement = GuestPlan::Placement::kRandom;
  if (text_.has_placement() && plan_.nodes.size() == 1)
    return view_.Mistake("placement",
                         "is given beside a single node; expected several nodes, or no placement");
  return absl::OkStatus();
}

absl::StatusOr<GuestPolicy> Reader::ReadPolicy(int index) const {
  GuestPolicy read;
  std::string text = text_.policy(index);
  constexpr std::string_view kOwn = ":own";
  if (text.ends_with(kOwn)) {
    read.own = true;
    text.resize(text.size() - kOwn.size());
  }
  if (const std::string problem = PolicyCodec().Read(text, read.policy); !problem.empty())
    return view_.Mistake("policy", index, problem);
  const Policy::Mode mode = read.policy.mode;
  const bool of_nodes = read.own || !read.policy.nodes.empty();
  if (mode == Policy::Mode::kDefault || mode == Policy::Mode::kLocal) {
    if (of_nodes)
      return view_.Mistake(
          "policy", index,
          Cat("is a policy without nodes; expected ", Quoted(text.substr(0, text.find(':')))));
    return read;
  }
  if (!of_nodes)
    return view_.Mistake("policy", index,
                         Cat("names no node; expected such as ", text, ":0 or ", text, ":own"));
  for (NodeMask rest = read.policy.nodes; context_.nodes > 0 && !rest.empty(); rest.Clear(rest.First())) {
    if (rest.First().value < context_.nodes) continue;
    return view_.Mistake("policy", index,
                         Cat("names node ", rest.First().value,
                             ", which does not exist; expected nodes from 0 to ", context_.nodes - 1));
  }
  return read;
}

absl::Status Reader::ReadPolicies() {
  bool any_of_nodes = false;
  for (int i = 0; i < text_.policy_size(); ++i) {
    absl::StatusOr<GuestPolicy> policy = ReadPolicy(i);
    if (!policy.ok()) return policy.status();
    any_of_nodes = any_of_nodes || policy->policy.mode != Policy::Mode::kDefault;
    plan_.policies.push_back(*policy);
  }
  const std::vector<double> weights(text_.policy_weight().begin(), text_.policy_weight().end());
  absl::Status status = CheckWeights(view_, "policy_weight", weights, "policy", plan_.policies.size());
  if (!status.ok()) return status;
  if (plan_.policies.empty()) plan_.policies.emplace_back();
  plan_.policies_up_to = SumsOf(weights, plan_.policies.size());
  if (text_.has_policy_of() && !any_of_nodes)
    return view_.Mistake("policy_of",
                         "is given without a policy; expected one, such as policy: \"bind:own\"");
  plan_.policy_of_mapping = text_.policy_of() == "mapping";
  return absl::OkStatus();
}

absl::Status Reader::ReadTouch() {
  plan_.populate = text_.populate();
  if (!text_.has_touch()) return absl::OkStatus();
  if (plan_.populate)
    return view_.MistakeWithoutValue(
        "touch", "is given beside populate, which uses all memory at the start; expected one of them");
  const MessageView view = view_.Nested("touch");
  const auto& touch = text_.touch();
  if (touch.has_share()) {
    if (absl::Status status = ReadInto(view, "share", ValueUnit::kShare, plan_.share); !status.ok())
      return status;
  }
  plan_.steps = touch.steps();
  if (plan_.steps > 1 && !plan_.lifetime.has_value())
    return view.Mistake("steps",
                        "parts have no lifetime to be spread over; expected a lifetime, or steps: 1");
  if (touch.order() == "random") plan_.order = GuestPlan::Order::kRandom;
  return absl::OkStatus();
}

absl::Status Reader::ReadOnFailure() {
  if (!text_.has_on_failure()) return absl::OkStatus();
  const MessageView view = view_.Nested("on_failure");
  plan_.other_node = text_.on_failure().other_node();
  if (plan_.other_node && plan_.nodes.size() == 1)
    return view.Mistake("other_node", "is given beside a single node; expected several nodes");
  if (!text_.on_failure().has_retry()) return absl::OkStatus();
  const MessageView retry = view.Nested("retry");
  if (!text_.on_failure().retry().has_after())
    return retry.MistakeWithoutValue("after", "is missing; expected such as after { constant: \"5m\" }");
  plan_.retries = text_.on_failure().retry().times();
  return ReadInto(retry, "after", ValueUnit::kTime, plan_.retry_after);
}

}  // namespace

absl::StatusOr<GuestPlan> ReadGuests(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
