#include "workloads/line_io.h"

#include <algorithm>
#include <span>

#include "absl/strings/ascii.h"
#include "workloads/nearest_name.h"

namespace numasim::workloads {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// The end of the field that begins at `begin`; npos if a quote in it is not closed.
size_t FieldEnd(std::string_view line, size_t begin) {
  size_t end = begin;
  while (end < line.size() && !IsBlank(line[end])) {
    if (line[end] == '"') {
      end = line.find('"', end + 1);
      if (end == std::string_view::npos) return end;
    }
    ++end;
  }
  return end;
}

}  // namespace

void LineReader::Start(std::string_view line) {
  fields_.clear();
  options_.clear();
  next_ = 0;
  form_ = nullptr;
  problem_.clear();
  for (size_t begin = 0; begin < line.size();) {
    if (IsBlank(line[begin])) {
      ++begin;
      continue;
    }
    const size_t end = FieldEnd(line, begin);
    if (end == std::string_view::npos)
      return Fail("line", line.substr(begin), "is not closed; expected a second '\"'");
    fields_.push_back(line.substr(begin, end - begin));
    begin = end;
  }
}

void LineReader::Fail(std::string_view field, std::string_view value, std::string_view what) {
  if (ok()) problem_ = Cat(field, ": ", Quoted(value), " ", what);
}

void LineReader::FailMissing(std::string_view name) {
  // What is missing may be there, misspelt.
  for (const std::string_view field : std::span(fields_).subspan(next_)) {
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string hint = DidYouMean(field.substr(0, equals), std::span(&name, 1));
    if (!hint.empty()) return Fail("option", field, Cat("is not known", hint));
  }
  problem_ = Cat(name, ": is missing; expected '", form_(), "'");
}

void LineReader::FailRange(const Range& range) {
  const std::string text = Cat(SizeText(range.offset), " ", SizeText(range.length));
  Fail("OFF LEN", text, "is a range that ends too high; expected an end of at most 8388607T");
}

bool LineReader::NextIsNumber() const {
  const std::string_view next = Peek();
  return !next.empty() && (absl::ascii_isdigit(next.front()) || next.front() == '-' || next.front() == '+');
}

void LineReader::Rest(std::string_view name, std::string& value) {
  if (!ok()) return;
  if (next_ == fields_.size()) return FailMissing(name);
  value = Join(std::span(fields_).subspan(next_), " ");
  next_ = fields_.size();
}

void LineReader::CommaList() {
  if (!ok() || next_ + 1 != fields_.size())
    return;  // Several fields: the options found in the first say what is odd.
  const std::vector<std::string_view> parts = Split(fields_.back(), ',');
  fields_.pop_back();
  fields_.insert(fields_.end(), parts.begin(), parts.end());
}

void LineReader::Flag(std::string_view name, bool& value) {
  options_.push_back(name);
  for (size_t i = next_; ok() && i < fields_.size();) {
    const std::string_view field = fields_[i];
    if (field.substr(0, field.find('=')) != name) {
      ++i;
      continue;
    }
    if (field.size() != name.size())
      return Fail(name, field, Cat("is with a value; expected ", name, " alone"));
    if (value) return Fail(name, field, "is there twice; expected it once");
    value = true;
    fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool LineReader::FindOption(std::string_view name, std::string_view& value) {
  options_.push_back(name);
  bool found = false;
  for (size_t i = next_; ok() && i < fields_.size();) {
    const std::string_view field = fields_[i];
    const size_t equals = field.find('=');
    if (field.substr(0, equals) != name) {
      ++i;
      continue;
    }
    if (equals == std::string_view::npos) {
      Fail(name, field, Cat("is without a value; expected ", name, "=VALUE"));
    } else if (found) {
      Fail(name, field, "is there twice; expected it once");
    } else {
      found = true;
      value = field.substr(equals + 1);
      fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return found && ok();
}

void LineReader::Finish() {
  if (!ok() || next_ == fields_.size()) return;
  const std::string_view field = fields_[next_];
  if (options_.size() < 2) {
    return Fail("line", field, Cat("is one field too many; expected '", form_(), "'"));
  }
  Fail("option", field, NotOneOf(field.substr(0, field.find('=')), options_));
}

}  // namespace numasim::workloads
