#include "workloads/machine/topology_xml.h"

#include <tinyxml2.h>

#include <algorithm>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

constexpr char kExpected[] = "; expected what `lstopo FILE.xml` writes";

absl::Status Wrong(const std::string& name, int line, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", what, kExpected));
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// I/O devices and remarks belong to no CPUs; everything else does, and to NUMA nodes.
absl::Status CheckObject(const std::string& name, const tinyxml2::XMLElement& object) {
  const char* const type = object.Attribute("type");
  if (type == nullptr) return Wrong(name, object.GetLineNum(), "object: type is missing");
  if (IsOneOf(type, {"Bridge", "PCIDev", "OSDev", "Misc"})) return absl::OkStatus();
  for (const char* set : {"cpuset", "complete_cpuset", "nodeset", "complete_nodeset"}) {
    if (object.Attribute(set) != nullptr) continue;
    return Wrong(name, object.GetLineNum(), absl::StrCat("object ", Quoted(type), ": ", set, " is missing"));
  }
  if (IsOneOf(type, {"PU", "NUMANode"}) && object.Attribute("os_index") == nullptr)
    return Wrong(name, object.GetLineNum(), absl::StrCat("object ", Quoted(type), ": os_index is missing"));
  return absl::OkStatus();
}

// Checks all objects, each before those in it.
class ObjectCheck : public tinyxml2::XMLVisitor {
 public:
  explicit ObjectCheck(const std::string& name) : name_(name) {}

  bool VisitEnter(const tinyxml2::XMLElement& element, const tinyxml2::XMLAttribute*) override {
    // tinyxml2 goes on with the next element whatever this returns: the first mistake must stay.
    if (status_.ok() && std::string_view(element.Name()) == "object") status_ = CheckObject(name_, element);
    return status_.ok();
  }
  const absl::Status& status() const { return status_; }

 private:
  const std::string& name_;
  absl::Status status_;
};

}  // namespace

absl::Status CheckTopologyXml(const std::string& name, const std::string& text) {
  tinyxml2::XMLDocument document;
  if (document.Parse(text.data(), text.size()) != tinyxml2::XML_SUCCESS) {
    // "XML_ERROR_MISMATCHED_ELEMENT"
    std::string reason = tinyxml2::XMLDocument::ErrorIDToName(document.ErrorID());
    std::transform(reason.begin(), reason.end(), reason.begin(),
                   [](char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(c)); });
    return Wrong(name, std::max(1, document.ErrorLineNum()), absl::StrCat("not well-formed (", reason, ")"));
  }
  const tinyxml2::XMLElement* const root = document.RootElement();
  if (root == nullptr || std::string_view(root->Name()) != "topology")
    return Wrong(name, 1,
                 absl::StrCat("the outermost element is ", Quoted(root == nullptr ? "" : root->Name()),
                              ", not a topology"));
  // Before version 2 the sets were other ones, and hwloc makes up for what is missing.
  const std::string_view version = root->Attribute("version") == nullptr ? "" : root->Attribute("version");
  if (version.substr(0, 2) != "2.") return absl::OkStatus();
  if (root->FirstChildElement("object") == nullptr)
    return Wrong(name, root->GetLineNum(), "topology: holds no object");
  ObjectCheck check(name);
  root->Accept(&check);
  return check.status();
}

}  // namespace numasim::workloads
