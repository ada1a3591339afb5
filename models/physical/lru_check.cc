#include "models/physical/lru_check.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace numasim {

void LruCheck::Check(const Node& node, int64_t file_pages, ProblemList& problems) {
  if (node.lru == nullptr) {
    if (file_pages != 0)
      problems.Add("node", node.id.value, ": ", file_pages, " pages of disk files, but no LRU lists");
    return;
  }
  int64_t listed = 0;
  for (const Lru::List list : {Lru::List::kInactive, Lru::List::kActive}) {
    const bool active = list == Lru::List::kActive;
    const std::string name =
        absl::StrCat("node", node.id.value, ": ", active ? "active" : "inactive", " list");
    const Found found = CheckList(*node.lru, list, name, problems);
    problems.Expect(node.lru->size(list), found.all, name, ": the count of its pages");
    for (size_t type = 0; type < kZoneTypes; ++type) {
      const Zone* const zone = node.zones[type].get();
      if (zone == nullptr) continue;
      problems.Expect(zone->counter(active ? NR_ZONE_ACTIVE_FILE : NR_ZONE_INACTIVE_FILE), found.pages[type],
                      name, ": the count of its pages in ", zone->Name());
    }
    listed += found.all;
  }
  problems.Expect(listed, file_pages, "node", node.id.value, ": pages of disk files on its LRU lists");
}

// A page that is on a list twice would make a ring without the head: the walk ends at the first wrong link.
LruCheck::Found LruCheck::CheckList(const Lru& lru, Lru::List list, const std::string& name,
                                    ProblemList& problems) {
  Found found;
  Lru::Number before = Lru::HeadOf(list);
  for (Lru::Number at = lru.links_[before].newer; at != Lru::HeadOf(list); at = lru.links_[at].newer) {
    if (Lru::IsHead(at) || lru.links_[at].older != before) {
      problems.Add(name, ": page number ", at, " is behind ", before, ", but links to ",
                   lru.links_[at].older);
      break;
    }
    const Lru::Page page = lru.PageOf(at);
    if (!Lru::IsFilePage(*page.zone, page.frame))
      problems.Add(name, ": pfn ", page.pfn().value, " is no page of a disk's file");
    if (lru.ListOf(at) != list)
      problems.Add(name, ": pfn ", page.pfn().value, " believes to be on the other");
    ++found.pages[page.zone->type()];
    ++found.all;
    before = at;
  }
  return found;
}

}  // namespace numasim
