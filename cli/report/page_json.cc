#include "cli/report/page_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace numasim {

std::string Clipped(const std::string& text, size_t most) {
  return text.size() <= most ? text : absl::StrCat(text.substr(0, most), "...");
}

std::string PrintJson(const Json& json) {
  return absl::StrReplaceAll(json.dump(-1, ' ', false, Json::error_handler_t::replace), {{"<", "\\u003c"}});
}

}  // namespace numasim
