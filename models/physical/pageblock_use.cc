#include "models/physical/pageblock_use.h"

namespace numasim {
namespace {

bool CanMove(const FrameStore& frames, FrameIndex frame, int order) {
  const auto kind = static_cast<FrameOwner::Kind>(frames.owner(frame, order).kind);
  const bool movable = FrameOwner::OfUser(kind) || kind == FrameOwner::kHugetlb;
  return movable && !frames.IsHeld(frame, order);
}

// What is seen of the blocks in a pageblock.
struct Seen {
  bool free = false;
  bool used = false;
  bool unmovable = false;

  void Add(const FrameStore& frames, const FrameStore::Head& head) {
    if (head.kind == FrameKind::kFree || head.kind == FrameKind::kPcp) {
      free = true;
      return;
    }
    used = true;
    // What was reserved at boot stays where it is.
    unmovable |= head.kind == FrameKind::kUnmanaged || !CanMove(frames, head.frame, head.order);
  }

  PageblockUse Use() const {
    if (!free) return unmovable ? PageblockUse::kUnmovable : PageblockUse::kMovable;
    return unmovable ? PageblockUse::kPartUnmovable : PageblockUse::kPartMovable;
  }
};

// Frames without memory behind the zone's end, or in a hole, are unmanaged one by one.
PageblockUse UseOfSplit(const FrameStore& frames, FrameIndex begin) {
  Seen seen;
  bool all_unmanaged = true;
  for (FrameIndex f = begin; f < begin + kPageblockPages;) {
    const FrameStore::Head head = frames.HeadAt(f);
    all_unmanaged &= head.kind == FrameKind::kUnmanaged;
    seen.Add(frames, head);
    f += FrameIndex{1} << head.order;
  }
  return all_unmanaged ? PageblockUse::kAbsent : seen.Use();
}

PageblockUse UseOfWhole(const FrameStore& frames, const FrameStore::Head& head) {
  switch (head.kind) {
    case FrameKind::kUnmanaged:
      return PageblockUse::kAbsent;
    case FrameKind::kFree:
    case FrameKind::kPcp:
      return PageblockUse::kFree;
    default:
      break;
  }
  switch (static_cast<FrameOwner::Kind>(frames.owner(head.frame, head.order).kind)) {
    case FrameOwner::kHugetlb:
      return PageblockUse::kHugetlb;
    case FrameOwner::kAnon:
    case FrameOwner::kShmem:
      return frames.IsHeld(head.frame, head.order) ? PageblockUse::kUnmovable : PageblockUse::kThp;
    case FrameOwner::kOffline:
      return PageblockUse::kAbsent;
    default:
      return PageblockUse::kUnmovable;
  }
}

}  // namespace

std::vector<PageblockRun> PageblockUses(const FrameStore& frames) {
  std::vector<PageblockRun> runs;
  const auto add = [&runs](PageblockUse use, int64_t count) {
    if (!runs.empty() && runs.back().use == use) {
      runs.back().count += count;
    } else {
      runs.push_back({use, count});
    }
  };
  for (FrameIndex f = 0; f < frames.frames();) {
    if (frames.IsSplit(f)) {
      add(UseOfSplit(frames, f), 1);
      f += kPageblockPages;
      continue;
    }
    const FrameStore::Head head = frames.Find(f);
    const int64_t pages = head.kind == FrameKind::kUnmanaged ? kPageblockPages : int64_t{1} << head.order;
    add(UseOfWhole(frames, head), pages / kPageblockPages);
    f += static_cast<FrameIndex>(pages);
  }
  return runs;
}

}  // namespace numasim
