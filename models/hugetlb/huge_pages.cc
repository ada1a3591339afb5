#include "models/hugetlb/huge_pages.h"

#include <sys/mman.h>

#include "sim/host_memory.h"

namespace numasim {

HugePageStore::HugePageStore(Pfn end)
    : count_(static_cast<size_t>((end.value + kPageblockPages - 1) >> kPageblockOrder)) {
  NUMASIM_CHECK(count_ < kNil);
  // As fresh memory of the host is zero, and an entry of zeros is one that says kNone.
  void* const memory = mmap(nullptr, count_ * sizeof(HugePage), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) sim::HostOutOfMemory();
  entries_ = static_cast<HugePage*>(memory);
}

HugePageStore::~HugePageStore() { munmap(entries_, count_ * sizeof(HugePage)); }

const HugePage* HugePageStore::Find(Pfn pfn) const {
  if (pfn.value % kPageblockPages != 0 || pfn >= end()) return nullptr;
  const HugePage& page = entries_[NumberOf(pfn)];
  return page.state >= HugePageState::kUsed ? &page : nullptr;
}

Pfn HugePageStore::HeadOf(Pfn pfn) const {
  if (pfn >= end()) return kNoPfn;
  const uint32_t number = NumberOf(pfn);
  switch (entries_[number].state) {
    case HugePageState::kNone:
      return kNoPfn;
    case HugePageState::kInside: {
      const uint64_t pages = static_cast<uint64_t>(PagesOf(HugeSize::k1G));
      return Pfn{pfn.value / pages * pages};
    }
    default:
      return PfnOf(number);
  }
}

void HugePageStore::MarkInside(Pfn head, HugeSize size, HugePageState state) {
  const uint32_t number = NumberOf(head);
  for (int64_t i = 1; i < PagesOf(size) >> kPageblockOrder; ++i) {
    entries_[number + static_cast<uint32_t>(i)].state = state;
  }
}

void HugePageStore::Add(Pfn head, HugeSize size) {
  NUMASIM_CHECK_EQ(head.value % static_cast<uint64_t>(PagesOf(size)), uint64_t{0});
  NUMASIM_CHECK(head + PagesOf(size) <= end());
  HugePage& page = entry(head);
  NUMASIM_CHECK(page.state == HugePageState::kNone);
  page = HugePage();
  page.state = HugePageState::kFreeing;
  page.size = size;
  MarkInside(head, size, HugePageState::kInside);
  ++freeing_;
}

void HugePageStore::Remove(Pfn head) {
  HugePage& page = entry(head);
  NUMASIM_CHECK(page.state == HugePageState::kFreeing);
  page.state = HugePageState::kNone;
  MarkInside(head, page.size, HugePageState::kNone);
  --freeing_;
}

HugePage& HugePageStore::Use(Pfn head) {
  HugePage& page = entry(head);
  NUMASIM_CHECK(page.state == HugePageState::kFreeing);
  const HugeSize size = page.size;
  page = HugePage();
  page.state = HugePageState::kUsed;
  page.size = size;
  --freeing_;
  ++used_;
  return page;
}

void HugePageStore::Unuse(Pfn head) {
  HugePage& page = Used(head);
  NUMASIM_CHECK(!page.Held());
  page.state = HugePageState::kFreeing;
  --used_;
  ++freeing_;
}

void HugePageStore::Push(List& list, Pfn head) {
  HugePage& page = entry(head);
  NUMASIM_CHECK(page.state == HugePageState::kFreeing);
  const uint32_t number = NumberOf(head);
  page.state = HugePageState::kFree;
  page.links = {list.head, kNil};
  if (list.head != kNil) entries_[list.head].links.prev = number;
  list.head = number;
  ++list.size;
  --freeing_;
}

void HugePageStore::TakeOut(List& list, Pfn head) {
  HugePage& page = entry(head);
  NUMASIM_CHECK(page.state == HugePageState::kFree);
  const HugePage::Links links = page.links;
  if (links.next != kNil) entries_[links.next].links.prev = links.prev;
  if (links.prev != kNil) {
    entries_[links.prev].links.next = links.next;
  } else {
    NUMASIM_CHECK_EQ(list.head, NumberOf(head));
    list.head = links.next;
  }
  page.subpool = nullptr;
  page.state = HugePageState::kFreeing;
  --list.size;
  ++freeing_;
}

}  // namespace numasim
