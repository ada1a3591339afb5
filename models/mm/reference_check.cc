#include "models/mm/reference_check.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "models/physical/kernel_pages.h"
#include "models/physical/thp_page.h"

namespace numasim {
namespace {

constexpr const char* kOwnerNames[] = {"the kernel",     "anonymous memory",  "shared memory",
                                       "page tables",    "hugetlb",           "a contiguous range",
                                       "the hypervisor", "a file of the disk"};

const char* OwnerName(uint64_t kind) {
  return kind < std::size(kOwnerNames) ? kOwnerNames[kind] : "nobody known";
}

bool ByPage(const PageReference& a, const PageReference& b) { return a.page.head() < b.page.head(); }

}  // namespace

std::string ReferenceCheck::Describe(const PageReference& reference) const {
  if (FrameOwner::OfFile(reference.kind)) {
    return absl::StrCat("page ", reference.index, " of file ", reference.object);
  }
  const std::string& name = processes_[reference.object]->name;
  if (reference.kind == FrameOwner::kPageTable) return absl::StrCat("a page table of process ", name);
  if (reference.kind == FrameOwner::kKernel) return absl::StrCat("the PGD of process ", name);
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
  if (order == ThpPage::kOrder && owner.kind == FrameOwner::kAnon) {
    while (next_ != references_.end() && next_->page.head() < pfn + page.pages()) ++next_;
    CheckThp(page, owner, begin, next_);
  } else {
    while (next_ != references_.end() && next_->page.head() == pfn) ++next_;
    CheckClaims(page, owner, begin, next_);
  }
  CheckHolds(page);
}

// A huge page is mapped by PMDs, by base entries of its parts, or by both.
void ReferenceCheck::CheckThp(Folio page, const FrameOwner& owner, Iterator begin, Iterator end) {
  const FrameStore& frames = zone_->frames();
  const FrameIndex head = frames.Index(page.head());
  int64_t pmds = 0;
  std::vector<int64_t> parts(static_cast<size_t>(page.pages()));
  for (Iterator it = begin; it != end; ++it) {
    const auto part = static_cast<size_t>(it->page.head() - page.head());
    it->page.order() == ThpPage::kOrder ? ++pmds : ++parts[part];
    problems_.Expect(owner.index + part, it->index, name_, ": the index of anonymous pfn ",
                     it->page.head().value, " at ", Describe(*it));
    CheckFamily(*it, owner);
  }
  problems_.Expect(static_cast<int64_t>(owner.mapcount), pmds, name_, ": the PMDs that map huge page pfn ",
                   page.head().value);
  const bool has_parts = frames.has_parts(head);
  for (size_t i = 0; i < parts.size(); ++i) {
    const int64_t counted = has_parts ? frames.part_mapcount(head + static_cast<FrameIndex>(i)) : 0;
    problems_.Expect(counted, parts[i], name_, ": the mapcount of part ", i, " of huge page pfn ",
                     page.head().value);
  }
  const int64_t mapped = std::accumulate(parts.begin(), parts.end(), int64_t{0});
  problems_.Expect(has_parts ? int64_t{frames.part_mappings(head)} : 0, mapped, name_,
                   ": the mappings of all parts of huge page pfn ", page.head().value);
  for (Iterator it = begin; it != end; ++it) {
    const auto part = static_cast<size_t>(it->page.head() - page.head());
    const bool alone = it->page.order() == ThpPage::kOrder ? pmds + mapped == 1 : pmds + parts[part] == 1;
    if (it->writable && !alone)
      problems_.Add(Describe(*it), " may write part of huge page pfn ", page.head().value,
                    ", which others map too; expected read-only");
  }
  if (pmds + mapped > 0 || frames.IsHeld(head, ThpPage::kOrder)) return;
  problems_.Add(name_, ": huge page pfn ", page.head().value, " is allocated but nothing maps it: it leaked");
}

void ReferenceCheck::CheckFamily(const PageReference& claim, const FrameOwner& owner) {
  const uint16_t id = processes_[claim.object]->id;
  if (anon_vmas_.Has(static_cast<AnonVmaId>(owner.object), id)) return;
  problems_.Add(Describe(claim), " maps ", name_, " pfn ", claim.page.head().value,
                " but is not in its anon_vma, ", static_cast<int>(owner.object));
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
  const bool other_kernel = kind == FrameOwner::kKernel && owner.object != kPgd;
  if (other_kernel || counted_elsewhere) return;
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
  // Of a transparent huge page, the parts are pinned.
  const uint64_t kind = zone_->frames().owner(frame, page.order()).kind;
  const bool thp =
      page.order() == ThpPage::kOrder && (kind == FrameOwner::kAnon || kind == FrameOwner::kShmem);
  const auto first = std::lower_bound(pins_.begin(), pins_.end(), thp ? Folio(page.head()) : page);
  const auto last = thp ? std::lower_bound(first, pins_.end(), Folio(page.head() + page.pages()))
                        : std::upper_bound(first, pins_.end(), page);
  problems_.Expect(zone_->RefsOf(frame, page.order()), int64_t{last - first}, name_,
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
    CheckFamily(*it, owner);
  }
}

// Pages of files and of page tables have one reference and know whose it is.
void ReferenceCheck::CheckSingle(Pfn pfn, const FrameOwner& owner, Iterator begin, Iterator end) {
  const auto pmds = std::count_if(begin, end, [](const PageReference& claim) { return claim.by_pmd; });
  if (end - begin > pmds + 1) {
    problems_.Add(name_, ": pfn ", pfn.value, " is ", Describe(*begin), " and also ", Describe(*(begin + 1)));
  }
  const bool file = FrameOwner::OfFile(begin->kind);
  // A PGD's page says only that it is one.
  const bool pgd = begin->kind == FrameOwner::kKernel;
  const int object = pgd ? int{kPgd} : file ? begin->object : int{processes_[begin->object]->id};
  problems_.Expect(static_cast<int>(owner.object), object, name_, ": the owner's number in pfn ", pfn.value,
                   ", ", Describe(*begin));
  problems_.Expect(static_cast<int64_t>(owner.mapcount), int64_t{1 + pmds}, name_, ": the mapcount of pfn ",
                   pfn.value, ", ", Describe(*begin));
  if (file) problems_.Expect(uint64_t{owner.index}, begin->index, name_, ": the index of pfn ", pfn.value);
}

}  // namespace numasim
