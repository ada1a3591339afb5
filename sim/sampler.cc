#include "sim/sampler.h"

#include "sim/check.h"

namespace numasim::sim {

void Sampler::Set(SimTime now, bool started, Duration interval, SampleSink* sink) {
  NUMASIM_CHECK_GT(interval.ns, 0);
  interval_ = interval;
  sink_ = sink;
  if (sink == nullptr) {
    next_ = kNever;
    return;
  }
  // The first multiple that is not past; at `now` itself events may have run already.
  const int64_t behind = now.ns % interval.ns;
  if (behind == 0 && !started) {
    next_ = now;
  } else {
    next_ = interval.ns - behind < kNever.ns - now.ns ? now + Duration{interval.ns - behind} : kNever;
  }
}

void Sampler::Read(const std::vector<Column>& columns) {
  values_.clear();
  for (const Column& column : columns) values_.push_back(column.Read());
}

void Sampler::TakeUntil(SimTime until, const std::vector<Column>& columns) {
  if (next_ > until) return;
  Read(columns);
  sink_->OnSample(next_, values_);
  const int64_t repeats = (until - next_) / interval_;
  if (repeats > 0) sink_->OnRepeat(next_ + interval_, interval_, repeats);
  const Duration step = interval_ * repeats;
  next_ += step;
  next_ = interval_.ns < kNever.ns - next_.ns ? next_ + interval_ : kNever;
}

void Sampler::SampleNow(SimTime now, const std::vector<Column>& columns) {
  if (sink_ == nullptr) return;
  Read(columns);
  sink_->OnSample(now, values_);
}

}  // namespace numasim::sim
