#include "cli/help/field_reference.h"

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "cli/help/field_facts.h"
#include "proto/comments.h"
#include "proto/scenario.pb.h"
#include "proto/study.pb.h"
#include "workloads/text.h"
#include "workloads/text_message.h"

namespace numasim {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using workloads::Cat;

constexpr std::string_view kStudy = "study";

// A message, and where it is in a scenario or a study.
struct Place {
  const Descriptor* type;
  std::string path;

  bool IsRoot() const { return path.empty() || path == kStudy; }
  std::string PathOf(const FieldDescriptor& field) const {
    return path.empty() ? field.name() : Cat(path, ".", field.name());
  }
};

std::vector<Place> Roots() {
  return {{Scenario::descriptor(), ""}, {Study::descriptor(), std::string(kStudy)}};
}

// How many fields hold messages of a type.
using Holders = std::map<const Descriptor*, int>;

void CountHolders(const Descriptor& type, Holders& holders) {
  for (int i = 0; i < type.field_count(); ++i) {
    const Descriptor* const held = type.field(i)->message_type();
    if (held != nullptr && ++holders[held] == 1) CountHolders(*held, holders);
  }
}

FieldSection SectionOf(const Place& place) {
  FieldSection section{place.path.empty() ? "scenario" : Cat(place.path, " (", place.type->name(), ")"),
                       std::string(CommentOf(*place.type)),
                       {}};
  for (int i = 0; i < place.type->field_count(); ++i) {
    const FieldDescriptor& field = *place.type->field(i);
    section.fields.push_back(FactsOf(field, place.PathOf(field)));
  }
  return section;
}

// Sections of a message and of what is below it. A type that several fields hold, such as Distribution, would
// be repeated at each of them; it is left for later, unless a root holds it.
class SectionList {
 public:
  SectionList() {
    for (const Place& root : Roots()) CountHolders(*root.type, holders_);
  }

  void Add(const Place& place) {
    shown_.insert(place.type);
    sections_.push_back(SectionOf(place));
    for (int i = 0; i < place.type->field_count(); ++i) {
      const FieldDescriptor& field = *place.type->field(i);
      if (field.message_type() == nullptr) continue;
      const Place held{field.message_type(), place.PathOf(field)};
      if (holders_[held.type] > 1 && !place.IsRoot()) {
        left_.push_back(held);
      } else {
        Add(held);
      }
    }
  }

  // Adds the types that were left, where they came first.
  void AddLeft() {
    for (; !left_.empty(); left_.pop_front()) {
      const Place place = left_.front();
      if (!shown_.contains(place.type)) Add(place);
    }
  }

  std::vector<FieldSection> Take() { return std::move(sections_); }

 private:
  Holders holders_;
  std::vector<FieldSection> sections_;
  std::set<const Descriptor*> shown_;
  std::deque<Place> left_;
};

std::vector<FieldSection> AllSections() {
  SectionList list;
  for (const Place& root : Roots()) {
    list.Add(root);
    list.AddLeft();
  }
  return list.Take();
}

// "workload.script[0].copies" without "[0]".
std::string WithoutBrackets(std::string_view path) {
  std::string text;
  bool inside = false;
  for (const char c : path) {
    if (c == '[') inside = true;
    if (!inside) text.push_back(c);
    if (c == ']') inside = false;
  }
  return text;
}

// The mistake that `place` has no field of that name, with the paths that end with it.
absl::Status NoSuchField(const Place& place, std::string_view name) {
  std::string elsewhere;
  for (const std::string& known : FieldPaths()) {
    if (known.ends_with(Cat(".", name))) workloads::Append(elsewhere, elsewhere.empty() ? "" : ", ", known);
  }
  const std::string path = place.path.empty() ? std::string(name) : Cat(place.path, ".", name);
  return absl::InvalidArgumentError(Cat("PATH: ", workloads::NotAField(*place.type, path, name),
                                        elsewhere.empty() ? "" : "; there is ", elsewhere));
}

}  // namespace

absl::StatusOr<std::vector<FieldSection>> FieldsAt(std::string_view path) {
  if (path.empty()) return AllSections();
  const std::string plain = WithoutBrackets(path);
  std::vector<std::string_view> names = workloads::Split(plain, '.');
  const bool of_study = names.front() == kStudy;
  Place place = Roots()[of_study ? 1 : 0];
  if (of_study) names.erase(names.begin());
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* const field = place.type->FindFieldByName(std::string(names[i]));
    if (field == nullptr) return NoSuchField(place, names[i]);
    const std::string found = place.PathOf(*field);
    if (field->message_type() == nullptr) {
      if (i + 1 == names.size()) return std::vector<FieldSection>{{"", "", {FactsOf(*field, found)}}};
      return absl::InvalidArgumentError(
          Cat("PATH: ", found, ": is a value and has no fields; expected no more behind it"));
    }
    place = {field->message_type(), found};
  }
  SectionList list;
  list.Add(place);
  return list.Take();
}

std::vector<std::string> FieldPaths() {
  std::vector<std::string> paths = {std::string(kStudy)};
  for (const FieldSection& section : AllSections()) {
    for (const FieldEntry& field : section.fields) paths.push_back(field.path);
  }
  return paths;
}

}  // namespace numasim
