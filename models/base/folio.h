// Folio: a page of any order, by its first frame: what is mapped, held, migrated and released as one (struct
// folio, Linux 6.1).
#ifndef NUMASIM_MODELS_BASE_FOLIO_H_
#define NUMASIM_MODELS_BASE_FOLIO_H_

#include <compare>
#include <cstdint>
#include <span>

#include "models/base/types.h"

namespace numasim {

class Folio {
 public:
  constexpr Folio() = default;
  constexpr explicit Folio(Pfn head, int order = 0)
      : bits_(head.value << kOrderBits | static_cast<uint64_t>(order)) {}
  constexpr Pfn head() const { return Pfn{bits_ >> kOrderBits}; }
  constexpr int order() const { return static_cast<int>(bits_ & ((1 << kOrderBits) - 1)); }
  constexpr int64_t pages() const { return int64_t{1} << order(); }
  constexpr Pfn end() const { return head() + pages(); }
  // By the first frame.
  friend auto operator<=>(Folio, Folio) = default;

 private:
  static constexpr int kOrderBits = 5;  // up to 18, a page of 1 GiB

  uint64_t bits_ = 0;
};

// So many pages of one order, each behind the one before.
struct FolioRun {
  Folio first;
  uint32_t count = 1;

  constexpr Folio at(uint32_t i) const { return Folio(first.head() + first.pages() * i, first.order()); }
  constexpr Pfn end() const { return first.head() + first.pages() * count; }
};

// In base pages.
constexpr int64_t PagesOf(std::span<const Folio> folios) {
  int64_t pages = 0;
  for (const Folio folio : folios) pages += folio.pages();
  return pages;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_FOLIO_H_
