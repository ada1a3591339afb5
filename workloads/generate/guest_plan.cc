#include "workloads/generate/guest_plan.h"

#include <algorithm>
#include <iterator>

#include "sim/check.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/integer_math.h"
#include "workloads/text.h"

namespace numasim::workloads {
GuestPages GuestPagesNamed(std::string_view name) {
  // In the order of GuestPages.
  constexpr std::string_view kNames[] = {"anon", "4K", "thp", "2M", "1G"};
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  NUMASIM_CHECK(found != std::end(kNames));
  return static_cast<GuestPages>(found - std::begin(kNames));
}

sim::RandomStream GuestPlan::StreamOf(uint64_t seed, std::string_view what, int64_t k) const {
  return {seed, Cat("guests.", name, ".", what), static_cast<uint64_t>(k)};
}

bool GuestPlan::random() const {
  bool any = size.random() || share.random() || (lifetime.has_value() && lifetime->random());
  any = any || pages.size() > 1 || policies.size() > 1;
  any = any || placement == Placement::kRandom || order == Order::kRandom;
  any = any || (retries > 0 && retry_after.random());
  if (const auto* gaps = std::get_if<GapArrival>(&arrival)) any = any || gaps->gap.random();
  if (const auto* loop = std::get_if<ClosedLoop>(&arrival)) any = any || loop->pause.random();
  return any;
}

GuestChoices ChoicesOf(const GuestPlan& plan, uint64_t seed, int64_t k) {
  const auto draw = [&](const Distribution& of, std::string_view what) {
    sim::RandomStream stream = plan.StreamOf(seed, what, k);
    return of.Draw(stream);
  };
  const auto draw_index = [&](const std::vector<double>& up_to, std::string_view what) -> size_t {
    sim::RandomStream stream = plan.StreamOf(seed, what, k);
    return up_to.size() == 1 ? 0 : DrawIndex(up_to, stream);
  };
  GuestChoices choices;
  choices.pages = plan.pages[draw_index(plan.pages_up_to, "page_size")];
  choices.policy = &plan.policies[draw_index(plan.policies_up_to, "policy")];
  const int64_t unit_bytes = UnitOf(choices.pages) * kPageSize;
  choices.units = std::max<int64_t>(1, UpToWhole(draw(plan.size, "size"), unit_bytes));
  const int64_t share = plan.populate ? kWholeShare : draw(plan.share, "share");
  const auto wanted = static_cast<__int128>(choices.units) * share;
  choices.touched = static_cast<int64_t>((wanted + kWholeShare - 1) / kWholeShare);
  if (plan.lifetime.has_value()) choices.lifetime_ns = draw(*plan.lifetime, "lifetime");
  choices.order_key = plan.StreamOf(seed, "order", k).Next();
  return choices;
}

ArrivalTimes::ArrivalTimes(const GuestPlan& plan, uint64_t seed)
    : plan_(plan), gaps_(plan.StreamOf(seed, "arrival", 0)) {}

std::optional<int64_t> ArrivalTimes::NextOffset() {
  if (const auto* of = std::get_if<TimesArrival>(&plan_.arrival)) {
    if (taken_ >= static_cast<int64_t>(of->times.size())) return std::nullopt;
    return of->times[static_cast<size_t>(taken_)];
  }
  int64_t next = 0;
  const int64_t gap = std::get<GapArrival>(plan_.arrival).gap.Draw(gaps_);
  if (__builtin_add_overflow(at_ns_, gap, &next)) return std::nullopt;
  return next;
}

std::optional<int64_t> ArrivalTimes::Next() {
  if (plan_.count.has_value() && taken_ >= *plan_.count) return std::nullopt;
  const std::optional<int64_t> offset = NextOffset();
  int64_t time = 0;
  if (!offset.has_value() || __builtin_add_overflow(plan_.start_ns, *offset, &time)) return std::nullopt;
  if (plan_.until_ns.has_value() && time >= *plan_.until_ns) return std::nullopt;
  at_ns_ = *offset;
  ++taken_;
  return time;
}

}  // namespace numasim::workloads
