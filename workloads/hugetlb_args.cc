#include "workloads/hugetlb_args.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>

#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

// memparse(): a number in decimal, octal or hexadecimal, a unit, and whatever follows.
uint64_t MemParse(const std::string& text) {
  char* end = nullptr;
  const uint64_t number = std::strtoull(text.c_str(), &end, 0);
  const size_t unit =
      std::string_view("kmgtpe").find(static_cast<char>(std::tolower(static_cast<unsigned char>(*end))));
  if (*end == '\0' || unit == std::string_view::npos) return number;
  return number << (10 * (unit + 1));
}

// sscanf("%lu"): takes the digits at the beginning of `text`, which are at least one. The number wraps round.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0) return std::nullopt;
  uint64_t number = 0;
  while (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0) {
    number = number * 10 + static_cast<uint64_t>(text.front() - '0');
    text.remove_prefix(1);
  }
  return number;
}

// arch_hugetlb_valid_size(), with 1G pages in the CPU.
std::optional<HugeSize> SizeNamed(std::string_view value) {
  const uint64_t bytes = MemParse(std::string(value));
  for (const HugeSize size : kHugeSizes) {
    if (bytes == static_cast<uint64_t>(PagesOf(size) * kPageSize)) return size;
  }
  return std::nullopt;
}

}  // namespace

HugetlbArgs::HugetlbArgs(int nodes, KernelArgs& args) : nodes_(nodes), args_(args) {
  for (Count& count : counts_) Clear(count);
  Clear(of_default_);
}

void HugetlbArgs::Clear(Count& count) const {
  count.pages = 0;
  count.on_node.assign(static_cast<size_t>(nodes_), 0);
}

void HugetlbArgs::Warn(std::string_view argument, std::string_view value, std::string_view why) {
  args_.warnings.push_back(Cat(argument, "=", std::string(value), " has no effect: ", why));
}

// "N", or "NODE:N,NODE:N..", whose counts add up. What follows a number is not looked at. False where the
// kernel finds it invalid; what was read before that is then in the count.
bool HugetlbArgs::ReadCounts(std::string_view text, Count& count) const {
  const std::string_view whole = text;
  while (!text.empty()) {
    const bool first = text.size() == whole.size();
    const std::optional<uint64_t> number = TakeNumber(text);
    if (!number.has_value()) return false;
    if (text.empty() || text.front() != ':') {
      if (!first) return false;
      count.pages = *number;
      return true;
    }
    if (*number >= static_cast<uint64_t>(nodes_)) return false;
    text.remove_prefix(1);
    const std::optional<uint64_t> pages = TakeNumber(text);
    if (!pages.has_value()) return false;
    count.on_node[*number] = static_cast<uint32_t>(*pages);
    count.pages += *pages;
    if (text.empty() || text.front() != ',') return true;
    text.remove_prefix(1);
  }
  return true;
}

// hugepages_setup()
void HugetlbArgs::HugePages(std::string_view value) {
  if (!valid_) {
    valid_ = true;
    return Warn("hugepages", value, "the size before it is none");
  }
  Count& count = parsed_.has_value() ? CountOf(*parsed_) : of_default_;
  if (&count == last_) return Warn("hugepages", value, "a count for the same size stands before it");
  if (!ReadCounts(value, count)) {
    Clear(count);
    return Warn(
        "hugepages", value,
        Cat("it is invalid, and so is what was asked for of that size; expected a count, or NODE:COUNT "
            "with nodes from 0 to ",
            nodes_ - 1));
  }
  if (parsed_ == HugeSize::k1G) Request(HugeSize::k1G);
  last_ = &count;
}

// hugepagesz_setup()
void HugetlbArgs::HugePageSize(std::string_view value) {
  valid_ = false;
  const std::optional<HugeSize> size = SizeNamed(value);
  if (!size.has_value()) return Warn("hugepagesz", value, "it is no size of huge pages; expected 2M or 1G");
  const bool is_default = default_given_ && args_.default_huge_size == *size;
  if (known_[static_cast<size_t>(*size)] && (!is_default || CountOf(*size).pages > 0))
    return Warn("hugepagesz", value, "the size stands before it already");
  known_[static_cast<size_t>(*size)] = true;
  parsed_ = size;
  valid_ = true;
}

// default_hugepagesz_setup()
void HugetlbArgs::DefaultHugePageSize(std::string_view value) {
  valid_ = false;
  if (default_given_) return Warn("default_hugepagesz", value, "it stands there twice");
  const std::optional<HugeSize> size = SizeNamed(value);
  if (!size.has_value())
    return Warn("default_hugepagesz", value, "it is no size of huge pages; expected 2M or 1G");
  // Where there is an hstate of the size, hugepages= goes on to be for the one that was made last.
  if (!known_[static_cast<size_t>(*size)]) parsed_ = size;
  known_[static_cast<size_t>(*size)] = true;
  valid_ = default_given_ = true;
  args_.default_huge_size = *size;
  if (of_default_.pages == 0) return;
  CountOf(*size).pages = of_default_.pages;
  CountOf(*size).on_node = of_default_.on_node;
  if (*size == HugeSize::k1G) Request(HugeSize::k1G);
  of_default_.pages = 0;
}

// hugetlb_init()
void HugetlbArgs::Finish() {
  if (!default_given_ && of_default_.pages > 0) {
    if (const uint64_t pages = CountOf(HugeSize::k2M).pages; pages > 0)
      Warn("hugepages", Cat(pages),
           "the count before any hugepagesz= is for pages of 2M, too, and takes precedence");
    CountOf(HugeSize::k2M) = of_default_;
  }
  Request(HugeSize::k2M);
}

// hugetlb_hstate_alloc_pages(): the counts of nodes win.
void HugetlbArgs::Request(HugeSize size) {
  const Count& count = CountOf(size);
  if (count.pages == 0) return;
  bool by_node = false;
  for (int node = 0; node < nodes_; ++node) {
    const uint32_t pages = count.on_node[static_cast<size_t>(node)];
    if (pages == 0) continue;
    args_.huge_pages.push_back({size, NodeId{node}, int64_t{pages}});
    by_node = true;
  }
  if (by_node) return;
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  args_.huge_pages.push_back({size, kNoNode, static_cast<int64_t>(std::min(count.pages, kMost))});
}

}  // namespace numasim::workloads
