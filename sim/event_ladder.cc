#include "sim/event_ladder.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "sim/check.h"

namespace numasim::sim::internal {
namespace {

constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();
constexpr size_t kChunksPerSlab = 64;

}  // namespace

EventLadder::Chunk* EventLadder::NewChunk() {
  if (free_chunks_ == nullptr) {
    slabs_.emplace_back(new Chunk[kChunksPerSlab]);
    for (size_t i = 0; i < kChunksPerSlab; ++i) FreeChunk(&slabs_.back()[i]);
  }
  Chunk* chunk = free_chunks_;
  free_chunks_ = chunk->next;
  chunk->used = 0;
  return chunk;
}

void EventLadder::FreeChunk(Chunk* chunk) {
  chunk->next = free_chunks_;
  free_chunks_ = chunk;
}

void EventLadder::PushInto(Bucket& bucket, const Event& event) {
  if (bucket.chunks == nullptr || bucket.chunks->used == Chunk::kEvents) {
    Chunk* chunk = NewChunk();
    chunk->next = bucket.chunks;
    bucket.chunks = chunk;
  }
  bucket.chunks->events[bucket.chunks->used++] = event;
  ++bucket.count;
}

void EventLadder::AddToTop(const Event& event) {
  top_least_ = top_.empty() ? event.time : std::min(top_least_, event.time);
  top_greatest_ = top_.empty() ? event.time : std::max(top_greatest_, event.time);
  top_.push_back(event);
}

void EventLadder::Push(const Event& event) {
  ++size_;
  for (int r = depth_ - 1; r >= 0; --r) {
    Rung& rung = rungs_[r];
    if (event.time >= rung.end) continue;
    const size_t index = rung.IndexOf(event.time);
    NUMASIM_DCHECK_GE(index, rung.current);
    PushInto(rung.buckets[index], event);
    return;
  }
  NUMASIM_DCHECK(depth_ == 0 || event.time >= top_start_);
  AddToTop(event);
}

EventLadder::Rung& EventLadder::AddRung(int64_t start, int64_t end, size_t count) {
  NUMASIM_DCHECK_LT(start, end);
  if (static_cast<size_t>(depth_) == rungs_.size()) rungs_.emplace_back();
  Rung& rung = rungs_[depth_++];
  const auto span = static_cast<uint64_t>(end - start);
  const uint64_t wanted = std::max<uint64_t>(2, count / kBucketTarget);
  rung.shift = std::bit_width(std::max<uint64_t>(1, span / wanted)) - 1;
  const uint64_t buckets = ((span - 1) >> rung.shift) + 1;
  // Counted back from the end, so that the rung above goes on exactly where this one stops.
  rung.end = end;
  rung.start = static_cast<int64_t>(static_cast<uint64_t>(end) - (buckets << rung.shift));
  rung.current = 0;
  rung.buckets.resize(buckets);
  return rung;
}

void EventLadder::Spread(const Bucket& bucket, Rung& rung) {
  for (Chunk* chunk = bucket.chunks; chunk != nullptr;) {
    for (uint32_t i = 0; i < chunk->used; ++i) {
      const Event& event = chunk->events[i];
      PushInto(rung.buckets[rung.IndexOf(event.time)], event);
    }
    Chunk* const done = chunk;
    chunk = chunk->next;
    FreeChunk(done);
  }
}

void EventLadder::Drain(Bucket& bucket, EventHeap& heap) {
  for (Chunk* chunk = bucket.chunks; chunk != nullptr;) {
    for (uint32_t i = 0; i < chunk->used; ++i) heap.Append(chunk->events[i]);
    Chunk* const done = chunk;
    chunk = chunk->next;
    FreeChunk(done);
  }
  size_ -= bucket.count;
  bucket = Bucket{};
}

void EventLadder::MakeRungFromTop() {
  // The end of time is no event's time, so the end of the rung is at most that.
  Rung& rung = AddRung(top_least_, top_greatest_ + 1, top_.size());
  top_start_ = rung.end;
  for (const Event& event : top_) {
    PushInto(rung.buckets[rung.IndexOf(event.time)], event);
  }
  top_.clear();
}

int64_t EventLadder::Refill(EventHeap& bottom) {
  NUMASIM_DCHECK(bottom.empty());
  while (size_ > 0) {
    if (depth_ == 0) {
      if (size_ <= kAllToBottom) {
        for (const Event& event : top_) bottom.Append(event);
        bottom.Heapify();
        top_.clear();
        size_ = 0;
        return kEndOfTime;
      }
      MakeRungFromTop();
    }
    Rung* rung = &rungs_[depth_ - 1];
    while (rung->current < rung->buckets.size() && rung->buckets[rung->current].count == 0) ++rung->current;
    if (rung->current == rung->buckets.size()) {
      rung->buckets.clear();
      --depth_;
      continue;
    }
    const size_t index = rung->current++;
    const int64_t bucket_end = rung->BucketStart(index + 1);
    if (rung->buckets[index].count > kSplitAbove && rung->shift > 0 && depth_ < kMaxRungs) {
      const Bucket full = std::exchange(rung->buckets[index], Bucket{});
      Spread(full, AddRung(rung->BucketStart(index), bucket_end, full.count));
      continue;
    }
    Drain(rung->buckets[index], bottom);
    bottom.Heapify();
    return bucket_end;
  }
  for (; depth_ > 0; --depth_) rungs_[depth_ - 1].buckets.clear();
  return kEndOfTime;
}

bool EventLadder::Split(EventHeap& bottom, int64_t bound) {
  if (depth_ >= kMaxRungs) return false;
  int64_t least = bound;
  int64_t greatest = 0;
  for (const Event& event : bottom.events()) {
    least = std::min(least, event.time);
    greatest = std::max(greatest, event.time);
  }
  if (least == greatest) return false;
  size_ += bottom.size();
  if (bound == kEndOfTime) {
    // Everything was in the bottom: start afresh from the top.
    NUMASIM_DCHECK_EQ(depth_, 0);
    for (const Event& event : bottom.events()) AddToTop(event);
  } else {
    Rung& rung = AddRung(least, bound, bottom.size());
    for (const Event& event : bottom.events()) {
      PushInto(rung.buckets[rung.IndexOf(event.time)], event);
    }
  }
  bottom.Clear();
  return true;
}

}  // namespace numasim::sim::internal
