#include "models/mm/reference_check.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

constexpr const char* kOwnerNames[] = {"the kernel", "anonymous memory",   "shared memory", "page tables",
                                       "hugetlb",    "a contiguous range", "the hypervisor"};

const char* OwnerName(uint64_t kind) {
  return kind < std::size(kOwnerNames) ? kOwnerNames[kind] : "nobody known";
}

bool ByPage(const PageReference& a, const PageReference& b) { return a.page.head() < b.page.head(); }

}  // namespace

std::string ReferenceCheck::Describe(const PageReference& reference) const {
  if (reference.kind == FrameOwner::kShmem) {
    return absl::StrCat("page ", reference.index, " of file ", reference.object);
  }
  const std::string& name = processes_[static_cast<size_t>(reference.object)]->name;
  if (reference.kind == FrameOwner::kPageTable) return absl::StrCat("a page table of process ", name);
  return absl::StrCat("vpn ", reference.index, " of process ", name);
}

void ReferenceCheck::CheckOutside() {
  for (const PageReference& reference : references_) {
    const Zone* zone = memory_.ZoneOf(reference.page.head());
    if (zone != nullptr && zone->frames().Contains(reference.page.head())) continue;
    problems_.Add(Describe(reference), " is at pfn ", reference.page.head().value, ", which is in no zone");
  }
}

void ReferenceCheck::BeginZone(const Zone& zone) {
  zone_ = &zone;
  name_ = zone.Name();
  const PageReference first{Folio(zone.frames().start()), FrameOwner::kKernel, false, 0, 0};
  next_ = std::lower_bound(references_.begin(), references_.end(), first, ByPage);
}

// References to pages below `before` that were passed over: nothing allocated begins there. Memory of another
// zone may lie between this zone's own and its device's.
void ReferenceCheck::ReportStray(Pfn before) {
  for (; next_ != references_.end() && next_->page.head() < before; ++next_) {
    if (memory_.ZoneOf(next_->page.head()) != zone_) continue;
    const FrameStore& frames = zone_->frames();
    const FrameStore::Head head = frames.Find(frames.Index(next_->page.head()));
    static constexpr const char* kKinds[] = {"unmanaged", "allocated", "on a PCP list", "split"};
    const auto kind = static_cast<size_t>(head.kind);
    problems_.Add(Describe(*next_), " is at ", name_, " pfn ", next_->page.head().value,
                  ", which is not the head of an ", "allocation: it is in a block of order ", head.order,
                  " at pfn ", frames.PfnOf(head.frame).value, " that is ",
                  kind < std::size(kKinds) ? kKinds[kind] : "free");
  }
}

void ReferenceCheck::Allocated(Pfn pfn, int order, const FrameOwner& owner) {
  ReportStray(pfn);
  const Folio page(pfn, order);
  const Iterator begin = next_;
  while (next_ != references_.end() && next_->page.head() == pfn) ++next_;
  CheckClaims(page, owner, begin, next_);
  CheckHolds(page);
}

void ReferenceCheck::CheckClaims(Folio page, const FrameOwner& owner, Iterator begin, Iterator end) {
  const Pfn pfn = page.head();
  const auto kind = static_cast<FrameOwner::Kind>(owner.kind);
  for (Iterator it = begin; it != end; ++it) {
    problems_.Expect(page.order(), it->page.order(), name_, ": the order of pfn ", pfn.value, ", ",
                     Describe(*it));
    if (it->kind == kind) continue;
    problems_.Add(Describe(*it), " is at ", name_, " pfn ", pfn.value, ", whose owner is ", OwnerName(kind),
                  ", expected ", OwnerName(it->kind));
  }
  const bool counted_elsewhere =
      kind == FrameOwner::kHugetlb || kind == FrameOwner::kContig || kind == FrameOwner::kOffline;
  if (kind == FrameOwner::kKernel || counted_elsewhere) return;
  if (kind == FrameOwner::kAnon && owner.object == kBootUser) return CheckBootUser(pfn, owner, begin, end);
  if (begin != end) {
    if (kind == FrameOwner::kAnon) return CheckAnon(pfn, owner, begin, end);
    return CheckSingle(pfn, owner, begin, end);
  }
  // What is mapped no more is kept by what holds it.
  if (zone_->frames().IsHeld(zone_->frames().Index(pfn), page.order())) {
    problems_.Expect(static_cast<int64_t>(owner.mapcount), 0, name_, ": the mapcount of pinned pfn ",
                     pfn.value);
    return;
  }
  problems_.Add(name_, ": pfn ", pfn.value, " is allocated for ", OwnerName(kind), " (object ",
                static_cast<int>(owner.object), ", index ", uint64_t{owner.index},
                ") but nothing refers to it: it leaked");
}

// Nothing but pins holds pages of users beyond their mappings while nothing runs.
void ReferenceCheck::CheckHolds(Folio page) {
  const FrameIndex frame = zone_->frames().Index(page.head());
  const auto pins = std::equal_range(pins_.begin(), pins_.end(), page);
  problems_.Expect(zone_->RefsOf(frame, page.order()), int64_t{pins.second - pins.first}, name_,
                   ": the references beyond mappings to pfn ", page.head().value);
  if (zone_->IsMigrating(frame, page.order()))
    problems_.Add(name_, ": pfn ", page.head().value, " is migrating though nothing runs");
}

// Its processes are not simulated: it must be mapped still, and by none that is.
void ReferenceCheck::CheckBootUser(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end) {
  problems_.Expect(static_cast<int>(owner.mapcount), 1, name_, ": the mapcount of pfn ", pfn.value,
                   ", in use since boot");
  if (begin == end) return;
  problems_.Add(Describe(*begin), " is at ", name_, " pfn ", pfn.value, ", which is in use since boot");
}

void ReferenceCheck::EndZone() { ReportStray(zone_->frames().end()); }

void ReferenceCheck::CheckAnon(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end) {
  const auto mappings = end - begin;
  problems_.Expect(static_cast<int64_t>(owner.mapcount), int64_t{mappings}, name_, ": the mapcount of pfn ",
                   pfn.value, " (", Describe(*begin), mappings > 1 ? " and others" : "", ")");
  for (Iterator it = begin; it != end; ++it) {
    if (it->writable && mappings > 1) {
      problems_.Add(Describe(*it), " may write ", name_, " pfn ", pfn.value, ", which is mapped ", mappings,
                    " times; expected read-only");
    }
    problems_.Expect(uint64_t{owner.index}, it->index, name_, ": the index of anonymous pfn ", pfn.value,
                     " at ", Describe(*it));
    const uint16_t id = processes_[static_cast<size_t>(it->object)]->id;
    if (!anon_vmas_.Has(static_cast<AnonVmaId>(owner.object), id)) {
      problems_.Add(Describe(*it), " maps ", name_, " pfn ", pfn.value, " but is not in its anon_vma, ",
                    static_cast<int>(owner.object));
    }
  }
}

// Pages of files and of page tables have one reference and know whose it is.
void ReferenceCheck::CheckSingle(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end) {
  if (end - begin > 1) {
    problems_.Add(name_, ": pfn ", pfn.value, " is ", Describe(*begin), " and also ", Describe(*(begin + 1)));
  }
  const bool file = begin->kind == FrameOwner::kShmem;
  const int object = file ? begin->object : int{processes_[static_cast<size_t>(begin->object)]->id};
  problems_.Expect(static_cast<int>(owner.object), object, name_, ": the owner's number in pfn ", pfn.value,
                   ", ", Describe(*begin));
  problems_.Expect(static_cast<int>(owner.mapcount), 1, name_, ": the mapcount of pfn ", pfn.value, ", ",
                   Describe(*begin));
  if (file) problems_.Expect(uint64_t{owner.index}, begin->index, name_, ": the index of pfn ", pfn.value);
}

}  // namespace numasim
