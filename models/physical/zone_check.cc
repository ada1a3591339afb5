#include "models/physical/zone_check.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/physical/kernel_pages.h"

namespace numasim {
namespace {

// A set of frames of one zone.
class FrameSet {
 public:
  explicit FrameSet(FrameIndex frames) : words_((size_t{frames} + 63) / 64) {}
  // False if it was in the set before.
  bool Insert(FrameIndex frame) {
    uint64_t& word = words_[frame / 64];
    const uint64_t bit = uint64_t{1} << (frame % 64);
    if (word & bit) return false;
    word |= bit;
    ++size_;
    return true;
  }
  // False if it was not.
  bool Erase(FrameIndex frame) {
    uint64_t& word = words_[frame / 64];
    const uint64_t bit = uint64_t{1} << (frame % 64);
    if (!(word & bit)) return false;
    word &= ~bit;
    --size_;
    return true;
  }
  template <typename F>
  void ForEach(F f) const {
    if (size_ == 0) return;
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        f(static_cast<FrameIndex>(i * 64) + static_cast<FrameIndex>(__builtin_ctzll(word)));
      }
    }
  }

 private:
  std::vector<uint64_t> words_;
  int64_t size_ = 0;
};

class ZoneChecker {
 public:
  ZoneChecker(const Zone& zone, ProblemList& problems, OnAllocated on_allocated)
      : zone_(zone),
        frames_(zone.frames()),
        name_(zone.Name()),
        problems_(problems),
        on_allocated_(on_allocated),
        listed_(frames_.frames()),
        on_pcp_(frames_.frames()) {}

  ZoneCensus Run() {
    for (int type = 0; type < kMigratetypes; ++type) CheckFreeListsOf(static_cast<Migratetype>(type));
    CheckBlockCounts();
    for (int cpu = 0; cpu < zone_.cpus(); ++cpu) CheckPcp(CpuId{cpu});
    for (FrameIndex f = 0; f < frames_.frames();) f = CheckPageblock(f);
    CheckLeftOver();
    problems_.Expect(zone_.buddy().free_pages(), census_.free - census_.isolated, name_, ": nr_free_pages");
    problems_.Expect(zone_.buddy().cma_pages(), census_.cma, name_, ": nr_free_cma");
    problems_.Expect(zone_.counter(PCP_PAGES), census_.pcp, name_, ": the count of pages on PCP lists");
    if (zone_.lock().held()) problems_.Add(name_, ": zone->lock is held though nothing runs");
    return census_;
  }

 private:
  // Where a frame is, for messages.
  std::string At(FrameIndex frame) const { return absl::StrCat(name_, ": pfn ", frames_.PfnOf(frame).value); }
  static std::string ListName(int order, Migratetype type) {
    return absl::StrCat("the free list of order ", order, " ", kMigratetypeNames[type]);
  }
  static std::string StateName(uint8_t state) {
    static constexpr const char* kKinds[] = {"unmanaged", "allocated", "on a PCP list", "split"};
    const FrameKind kind = FrameStore::KindOf(state);
    if (kind == FrameKind::kFree) {
      const int type = static_cast<int>(FrameStore::ListOf(state));
      return absl::StrCat("free of order ", FrameStore::OrderOf(state), " ",
                          type < kMigratetypes ? kMigratetypeNames[type] : "?");
    }
    const int number = static_cast<int>(kind);
    return absl::StrCat(number < 4 ? kKinds[number] : "?", " of order ", FrameStore::OrderOf(state));
  }

  // What the tables say of a block of this order that begins at `frame`; nothing is said of the inside of a
  // larger one.
  uint8_t StateAt(FrameIndex frame, int order) const {
    if (order < kPageblockOrder && !frames_.IsSplit(frame)) return frames_.state(frame, kPageblockOrder);
    return frames_.state(frame, order);
  }
  bool Possible(FrameIndex frame, int order) const {
    return frame < frames_.frames() && frame % (FrameIndex{1} << order) == 0;
  }

  void CheckFreeListsOf(Migratetype type) {
    const uint32_t nonempty = zone_.buddy().nonempty(type);
    for (int order = 0; order < kOrders; ++order) {
      CheckFreeList(order, type);
      const bool some = !zone_.buddy().list(order, type).empty();
      if (((nonempty >> order & 1) != 0) == some) continue;
      problems_.Add(name_, ": the bit of ", ListName(order, type), " is ", nonempty >> order & 1,
                    ", expected ", some);
    }
    if (nonempty >> kOrders != 0)
      problems_.Add(name_, ": bits of orders that do not exist are set: ", nonempty);
  }

  // Every entry of the ring: a block of the list, or what is left of one that was taken out.
  void CheckFreeList(int order, Migratetype type) {
    const FreeList& list = zone_.buddy().list(order, type);
    uint32_t count = 0;
    list.ForEachEntry([&](FrameIndex f, FreeList::Place place) {
      if (!Possible(f, order)) {
        problems_.Add(name_, ": ", ListName(order, type), " holds frame ", f,
                      ", which cannot head such a block");
        return;
      }
      if (frames_.state(f, order) != FrameStore::FreeCode(order, type)) return;
      if (frames_.list_place(f, order) != place) return;
      if (StateAt(f, order) != FrameStore::FreeCode(order, type)) {
        problems_.Add(At(f), " is on ", ListName(order, type), " but its pageblock is ",
                      StateName(StateAt(f, order)));
        return;
      }
      if (!listed_.Insert(f)) {
        problems_.Add(At(f), " is on ", ListName(order, type), " for the second time");
        return;
      }
      ++count;
    });
    problems_.Expect(list.count(), count, name_, ": the count of ", ListName(order, type));
  }

  void CheckBlockCounts() {
    for (int order = 0; order < kOrders; ++order) {
      int64_t blocks = 0;
      for (int type = 0; type < kMigratetypes; ++type) {
        blocks += zone_.buddy().list(order, static_cast<Migratetype>(type)).count();
      }
      problems_.Expect(zone_.buddy().blocks(order), blocks, name_, ": nr_free of order ", order);
    }
  }

  void CheckPcp(CpuId cpu) {
    const PcpLists& pcp = zone_.pcp(cpu);
    const std::string where = absl::StrCat(name_, ": cpu ", cpu.value);
    int64_t pages = 0;
    for (int list = 0; list < PcpLists::kLists; ++list) {
      const FrameRing& ring = pcp.lists[list];
      const int order = PcpLists::OrderOf(list);
      for (uint32_t i = 0; i < ring.size(); ++i) CheckPcpEntry(where, ring.FromBack(i), order);
      pages += int64_t{ring.size()} << order;
    }
    problems_.Expect(int64_t{pcp.count}, pages, where, ": the PCP count");
    if (pcp.batch < 1) problems_.Add(where, ": the PCP batch is ", pcp.batch, ", expected at least 1");
  }

  void CheckPcpEntry(const std::string& where, FrameIndex entry, int order) {
    const FrameIndex frame = entry >> order << order;
    if (frame >= frames_.frames() || entry - frame >= static_cast<FrameIndex>(kPcpMigratetypes)) {
      problems_.Add(where, ": a PCP list of order ", order, " holds ", entry, ", which is no such block");
      return;
    }
    if (StateAt(frame, order) != FrameStore::Code(FrameKind::kPcp, order)) {
      problems_.Add(At(frame), " is ", StateName(StateAt(frame, order)), " but on a PCP list of order ",
                    order, " of cpu ", where.substr(where.rfind(' ') + 1));
    }
    if (!on_pcp_.Insert(frame)) problems_.Add(At(frame), " is on PCP lists more than once");
  }

  // Returns where the next pageblock to look at begins.
  FrameIndex CheckPageblock(FrameIndex begin) {
    const FrameIndex size = kPageblockPages;
    if (static_cast<int>(frames_.pageblock_type(begin)) >= kMigratetypes) {
      problems_.Add(At(begin), ": the type of its pageblock is ",
                    static_cast<int>(frames_.pageblock_type(begin)));
    }
    if (!frames_.IsSplit(begin)) return CheckWhole(begin);
    for (FrameIndex f = begin; f < begin + size;) {
      const uint8_t state = frames_.state(f, 0);
      const int order = FrameStore::OrderOf(state);
      const FrameIndex pages = FrameIndex{1} << order;
      if (order >= kPageblockOrder || f % pages != 0 || !KnownKind(state, false)) {
        problems_.Add(At(f), " is ", StateName(state), ", which cannot begin there");
        previous_ = {};
        ++f;
        continue;
      }
      CheckBlock(f, state);
      f += pages;
    }
    return begin + size;
  }

  FrameIndex CheckWhole(FrameIndex begin) {
    const FrameIndex size = kPageblockPages;
    const uint8_t state = frames_.state(begin, kPageblockOrder);
    if (FrameStore::KindOf(state) == FrameKind::kUnmanaged) {
      previous_ = {};
      if (state != 0) problems_.Add(At(begin), " is ", StateName(state), ", expected order 0");
      return begin + size;
    }
    const int order = FrameStore::OrderOf(state);
    if (order < kPageblockOrder || order > kMaxOrder || !Possible(begin, order) || !KnownKind(state, true)) {
      problems_.Add(At(begin), " is ", StateName(state), " as a whole pageblock");
      previous_ = {};
      return begin + size;
    }
    CheckBlock(begin, state);
    return begin + (FrameIndex{1} << order);
  }

  static bool KnownKind(uint8_t state, bool whole) {
    switch (FrameStore::KindOf(state)) {
      case FrameKind::kFree:
        return static_cast<int>(FrameStore::ListOf(state)) < kMigratetypes;
      case FrameKind::kUnmanaged:
        return !whole && state == 0;
      case FrameKind::kAllocated:
        return true;
      case FrameKind::kPcp:
        return PcpLists::Allowed(FrameStore::OrderOf(state));
      default:
        return false;
    }
  }

  void CheckBlock(FrameIndex frame, uint8_t state) {
    const int order = FrameStore::OrderOf(state);
    const int64_t pages = int64_t{1} << order;
    const FrameKind kind = FrameStore::KindOf(state);
    if (kind != FrameKind::kUnmanaged &&
        (frames_.PfnOf(frame) < frames_.start() || frames_.PfnOf(frame) + pages > frames_.end())) {
      problems_.Add(At(frame), " is ", StateName(state), " but sticks out of the zone");
    }
    if (kind == FrameKind::kFree) {
      census_.free += pages;
      const Migratetype list = FrameStore::ListOf(state);
      if (list == Migratetype::kIsolate) census_.isolated += pages;
      if (list == Migratetype::kCma) census_.cma += pages;
      CheckListOfBlock(frame, order, list);
      if (!listed_.Erase(frame)) problems_.Add(At(frame), " is ", StateName(state), " but on no free list");
      CheckMerged(frame, order);
    } else if (kind == FrameKind::kPcp) {
      census_.pcp += pages;
      if (!on_pcp_.Erase(frame)) problems_.Add(At(frame), " is ", StateName(state), " but no CPU has it");
    } else if (kind == FrameKind::kAllocated) {
      census_.allocated += pages;
      const FrameOwner& owner = frames_.owner(frame, order);
      if (owner.kind == FrameOwner::kKernel && owner.object == kKernelsOwn) census_.kernel += pages;
      on_allocated_(frames_.PfnOf(frame), order, owner);
    }
    previous_ = {frame, order, kind == FrameKind::kFree};
  }

  // What is free in an isolated pageblock, or in one of a CMA area, is on that one's list.
  void CheckListOfBlock(FrameIndex frame, int order, Migratetype list) {
    const Migratetype block = frames_.pageblock_type(frame);
    const bool own = block == Migratetype::kIsolate || block == Migratetype::kCma ||
                     list == Migratetype::kIsolate || list == Migratetype::kCma;
    if (!own || list == block) return;
    problems_.Add(At(frame), " is on ", ListName(order, list), " but its pageblock is ",
                  kMigratetypeNames[block]);
  }

  // The block before this one is its buddy if both are free and of one order: then they should have merged.
  void CheckMerged(FrameIndex frame, int order) {
    if (!previous_.free || previous_.order != order || order == kMaxOrder) return;
    if ((previous_.frame ^ frame) != FrameIndex{1} << order) return;
    const Migratetype low = frames_.pageblock_type(previous_.frame);
    const Migratetype high = frames_.pageblock_type(frame);
    const bool mergeable =
        static_cast<int>(low) < kPcpMigratetypes && static_cast<int>(high) < kPcpMigratetypes;
    if (order >= kPageblockOrder && low != high && !mergeable) return;
    problems_.Add(At(previous_.frame), " and its buddy are both free of order ", order,
                  " and should have merged");
  }

  // What is still in the sets was on a list but heads no block.
  void CheckLeftOver() {
    listed_.ForEach(
        [&](FrameIndex f) { problems_.Add(At(f), " is on a free list but inside another block"); });
    on_pcp_.ForEach([&](FrameIndex f) { problems_.Add(At(f), " is on a PCP list but heads no such block"); });
  }

  struct Previous {
    FrameIndex frame = 0;
    int order = 0;
    bool free = false;
  };

  const Zone& zone_;
  const FrameStore& frames_;
  const std::string name_;
  ProblemList& problems_;
  OnAllocated on_allocated_;
  FrameSet listed_;
  FrameSet on_pcp_;
  Previous previous_;
  ZoneCensus census_;
};

}  // namespace

ZoneCensus CheckZone(const Zone& zone, ProblemList& problems, OnAllocated on_allocated) {
  return ZoneChecker(zone, problems, on_allocated).Run();
}

}  // namespace numasim
