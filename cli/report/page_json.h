// JSON in a page: what it must not hold, and how much of a text there is room for.
#ifndef NUMASIM_CLI_REPORT_PAGE_JSON_H_
#define NUMASIM_CLI_REPORT_PAGE_JSON_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace numasim {

using Json = nlohmann::ordered_json;  // in the order in which it is written

inline constexpr size_t kMostReason = 500;             // characters of a message
inline constexpr size_t kMostTextOfScenario = 60'000;  // of a scenario's text

// The text, or its first `most` characters and "..".
std::string Clipped(const std::string& text, size_t most);

// Safe to stand between <script> tags: there is no "<" in it, whatever bytes names and texts hold.
std::string PrintJson(const Json& json);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_PAGE_JSON_H_
