#include "workloads/alloc_trace/llfree_reader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "workloads/alloc_trace/gfp_names.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kEntry = 16;
constexpr uint32_t kMostCores = UINT16_MAX;
constexpr int64_t kNsPerMicrosecond = 1000;

struct Header {
  uint32_t pages;    // behind the header
  uint32_t cores;    // CPUs
  uint32_t max_pfn;  // the greatest page frame number
};

// Numbers are little-endian, as the host's are.
template <typename T>
T NumberAt(std::string_view bytes, size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

Header HeaderOf(std::string_view bytes) {
  return {NumberAt<uint32_t>(bytes, 0), NumberAt<uint32_t>(bytes, 4), NumberAt<uint32_t>(bytes, 8)};
}

// An entry's 128 bits from the lowest: time in microseconds (38), page frame number (24), allocation or free
// (1), order (4), gfp_t (29), process id (32).
PageEvent EventOf(uint32_t cpu, uint64_t low, uint64_t high) {
  const auto bits = [](uint64_t word, int from, int count) {
    return (word >> from) & ((uint64_t{1} << count) - 1);
  };
  PageEvent event;
  event.time_ns = static_cast<int64_t>(bits(low, 0, 38)) * kNsPerMicrosecond;
  event.pfn = Pfn{bits(low, 38, 24)};
  event.kind = bits(low, 62, 1) != 0 ? PageEventKind::kAlloc : PageEventKind::kFree;
  event.order = static_cast<uint8_t>(bits(low, 63, 1) | bits(high, 0, 3) << 1);
  event.gfp = GfpOfBits(bits(high, 3, 29));
  event.type = GfpMigratetype(event.gfp);
  event.cpu = static_cast<uint16_t>(cpu);
  return event;
}

// Why an entry is no event; empty: it is one.
std::string_view ProblemOf(const PageEvent& event, const Header& header) {
  if (event.order > kMaxOrder) return "has an order that is none from 0 to 10";
  if (event.pfn.value > header.max_pfn) return "has a page frame number above the header's";
  if (event.pfn.value % (uint64_t{1} << event.order) != 0)
    return "has a page frame number that is no multiple of its size";
  return "";
}

bool Precedes(const PageEvent& a, const PageEvent& b) {
  if (a.time_ns != b.time_ns) return a.time_ns < b.time_ns;
  return a.kind == PageEventKind::kAlloc && b.kind != PageEventKind::kAlloc;
}

}  // namespace

bool IsLlfreeTrace(std::string_view bytes) {
  if (bytes.size() < kPage || bytes.size() % kPage != 0) return false;
  const Header header = HeaderOf(bytes);
  const std::string_view behind = bytes.substr(sizeof(Header), kPage - sizeof(Header));
  return header.cores > 0 && header.cores <= kMostCores && header.max_pfn > 0 &&
         behind.find_first_not_of('\0') == std::string_view::npos;
}

absl::Status ReadLlfreeTrace(const std::string& name, std::string_view bytes, AllocTraceBuilder& trace) {
  if (!IsLlfreeTrace(bytes))
    return absl::InvalidArgumentError(Cat(
        name, ": is no trace of LLFree; expected whole pages of 4 KiB, the first a header of three numbers"));
  const Header header = HeaderOf(bytes);
  const size_t pages = bytes.size() / kPage - 1;
  if (header.pages != pages)
    return absl::InvalidArgumentError(Cat(name, ": its header says that ", header.pages,
                                          " pages follow, and there are ", pages,
                                          "; expected a whole trace"));
  std::vector<PageEvent> events;
  events.reserve(pages * (kPage / kEntry - 1));
  int64_t number = 0;
  for (size_t page = kPage; page < bytes.size(); page += kPage) {
    const uint32_t cpu = NumberAt<uint32_t>(bytes, page);
    for (size_t at = page + kEntry; at < page + kPage; at += kEntry) {
      ++number;
      const uint64_t low = NumberAt<uint64_t>(bytes, at);
      const uint64_t high = NumberAt<uint64_t>(bytes, at + sizeof(low));
      if (low == 0 && high == 0) continue;  // the rest of a page that was not full
      const PageEvent event = EventOf(cpu, low, high);
      const std::string_view problem =
          cpu < header.cores ? ProblemOf(event, header) : "is of a CPU that the header does not have";
      if (problem.empty()) {
        events.push_back(event);
      } else {
        trace.Skip(number, problem);
      }
    }
  }
  std::stable_sort(events.begin(), events.end(), Precedes);
  for (size_t i = 0; i < events.size() && !trace.full(); ++i) trace.Add(events[i]);
  return absl::OkStatus();
}

}  // namespace numasim::workloads
