#include "workloads/alloc_trace/text_reader.h"

#include "workloads/alloc_trace/gfp_names.h"

namespace numasim::workloads {
namespace {

std::optional<PageEventKind> KindNamed(std::string_view name) {
  // All that are wanted begin alike, and most events of a trace are wanted.
  constexpr std::string_view kPrefix = "mm_page_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name == "alloc") return PageEventKind::kAlloc;
  if (name == "free") return PageEventKind::kFree;
  if (name == "free_batched") return PageEventKind::kFreeBatched;
  if (name == "alloc_extfrag") return PageEventKind::kFallback;
  return std::nullopt;
}

// A pointer that is none, as kernels and perf print it.
bool IsNoPage(std::string_view page) {
  if (page.empty()) return false;
  return page == "(null)" || page == "(nil)" || page.find_first_not_of("0x") == std::string_view::npos;
}

// Of a failed allocation: Linux 6.1 prints 0 for what it has as -1, and trace-cmd may print that. Frame 0 is
// never given out.
bool IsNoFrame(uint64_t pfn) { return pfn == 0 || pfn == UINT64_MAX; }

// The order, 0 where the event has none; false: there is no such order.
bool ReadOrder(std::string_view text, uint8_t& order) {
  order = 0;
  if (text.empty()) return true;
  const std::optional<uint64_t> number = ParseUnsigned(text);
  if (!number.has_value() || *number > static_cast<uint64_t>(kMaxOrder)) return false;
  order = static_cast<uint8_t>(*number);
  return true;
}

// What allocations ask for; of a trace that does not say, what their flags say.
Migratetype TypeOf(std::string_view text, GfpFlags gfp) {
  const std::optional<uint64_t> number = ParseUnsigned(text);
  if (!number.has_value() || *number >= static_cast<uint64_t>(kPcpMigratetypes)) return GfpMigratetype(gfp);
  return static_cast<Migratetype>(*number);
}

// Why what is read so far is no event of the page allocator; empty: it may be one.
std::string_view ProblemOf(const PageEvent& event) {
  if (event.pfn == kNoPfn) return event.kind == PageEventKind::kAlloc ? "" : "frees no page";
  if (event.pfn.value >= static_cast<uint64_t>(kMaxPfn)) return "has a page frame number that no machine has";
  const uint64_t pages = uint64_t{1} << event.order;
  // That of mm_page_alloc_extfrag is of what was asked for, and the page begins what was found.
  return event.pfn.value % pages == 0 ? "" : "has a page frame number that is no multiple of its size";
}

// Of a line that is not blank.
bool IsComment(std::string_view line) { return line[SkipBlanks(line)] == '#'; }

}  // namespace

void EventMaker::Add(int64_t line, const EventLine& event) {
  const std::optional<PageEventKind> kind = KindNamed(event.name);
  if (kind.has_value()) return AddOfKind(line, event, *kind);
  trace_.CountOther(event.name);
}

void EventMaker::AddOfKind(int64_t line, const EventLine& event, PageEventKind kind) {
  EventFields fields;
  ReadEventFields(event.fields, fields);
  PageEvent made = {.time_ns = event.time_ns, .cpu = static_cast<uint16_t>(event.cpu), .kind = kind};
  if (!ReadOrder(fields.order, made.order))
    return trace_.Skip(line, "has an order that is none from 0 to 10");
  const std::optional<uint64_t> pfn = ParseUnsigned(fields.pfn);
  const bool none = pfn.has_value() ? IsNoFrame(*pfn) : fields.pfn.empty() && IsNoPage(fields.page);
  if (!none && !pfn.has_value()) return trace_.Skip(line, "has no page frame number");
  made.pfn = none ? kNoPfn : Pfn{*pfn};
  if (const std::string_view problem = ProblemOf(made); !problem.empty()) return trace_.Skip(line, problem);
  if (kind == PageEventKind::kAlloc) {
    if (none) made.kind = PageEventKind::kAllocFailed;
    made.gfp = FlagsOf(fields.gfp_flags);
    made.type = TypeOf(fields.migratetype, made.gfp);
  }
  trace_.Add(made);
}

GfpFlags EventMaker::FlagsOf(std::string_view text) {
  if (text.empty()) return {};
  const size_t hash = text.size() * 7 + static_cast<unsigned char>(text[text.size() / 2]) +
                      size_t{3} * static_cast<unsigned char>(text.back());
  KnownFlags& known = known_flags_[hash % known_flags_.size()];
  if (known.text == text && !known.has_unknown) return known.gfp;
  known.text = text;
  known.has_unknown = false;
  known.gfp = ReadFlags(text, known.has_unknown);
  return known.gfp;
}

// "GFP_KERNEL|__GFP_ZERO|0x800000"
GfpFlags EventMaker::ReadFlags(std::string_view text, bool& has_unknown) {
  GfpFlags gfp;
  while (!text.empty()) {
    const size_t bar = text.find('|');
    const std::string_view name = text.substr(0, bar);
    text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
    if (const std::optional<GfpFlags> named = GfpNamed(name); named.has_value()) {
      gfp |= *named;
    } else if (const std::optional<uint64_t> bits = ParseUnsigned(name); bits.has_value()) {
      gfp |= GfpOfBits(*bits);
    } else {
      trace_.CountGfpName(name);
      has_unknown = true;
    }
  }
  return gfp;
}

std::optional<TextTrace> TraceOfLine(std::string_view line) {
  EventLine event;
  if (!ReadEventLine(line, event)) return std::nullopt;
  return event.system.empty() ? TextTrace::kFtrace : TextTrace::kPerf;
}

void ReadTextTrace(LogLines& lines, TextTrace kind, AllocTraceBuilder& trace) {
  EventMaker maker(trace);
  std::string_view line;
  EventLine event;
  while (!trace.full() && lines.Next(line)) {
    if (IsComment(line)) continue;
    if (!ReadEventLine(line, event)) {
      const std::optional<int64_t> lost = LostEvents(line);
      if (lost.has_value()) {
        trace.CountLost(*lost);
      } else {
        trace.Skip(lines.number(), "is no event");
      }
    } else if (event.system.empty() != (kind == TextTrace::kFtrace)) {
      trace.Skip(lines.number(), kind == TextTrace::kFtrace ? "is an event of perf script, not of ftrace"
                                                            : "is an event of ftrace, not of perf script");
    } else {
      maker.Add(lines.number(), event);
    }
  }
}

}  // namespace numasim::workloads
