// Four ways through the fields of one line: read them, write them, show their form, explain them.
//
// Each operation lists its fields once (operation_fields.h), as calls on an Io, and that list does all four:
// LineReader fills the fields from a line, LineWriter appends the line that reads back, FormWriter appends
// the form of the line for messages and help, MeaningWriter lists what may stand for each part of the form.
// All live on the stack of one parse or print.
#ifndef NUMASIM_WORKLOADS_LINE_IO_H_
#define NUMASIM_WORKLOADS_LINE_IO_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/check.h"
#include "workloads/field_codecs.h"
#include "workloads/operations.h"
#include "workloads/text.h"

namespace numasim::workloads {

// Reads the fields of a line. After the first mistake the rest is skipped and problem() says what it was.
class LineReader {
 public:
  explicit LineReader(const MachineLimits& limits) : limits_(limits) {}

  // Takes the next line to read, without its comment, and forgets the one before. Blanks separate fields
  // except between double quotes.
  void Start(std::string_view line);

  const MachineLimits& limits() const { return limits_; }
  bool ok() const { return problem_.empty(); }
  // "FIELD: 'VALUE' is ...; expected ...".
  const std::string& problem() const { return problem_; }
  void Fail(std::string_view field, std::string_view value, std::string_view what);

  // The next field as it is; empty if there is none.
  std::string_view Peek() const { return next_ < fields_.size() ? fields_[next_] : std::string_view(); }
  void Skip() { ++next_; }

  // Says that a field is left over or missing in terms of the operation's form.
  void set_form(std::string (*form)()) { form_ = form; }

  template <class Codec, class T>
  void Field(std::string_view name, const Codec& codec, T& value) {
    if (!ok()) return;
    if (next_ == fields_.size()) return FailMissing(name);
    ReadValue(name, fields_[next_++], codec, value);
  }

  // A field behind all others that need not be there.
  template <class Codec, class T>
  void OptionalField(std::string_view name, const Codec& codec, std::optional<T>& value) {
    if (ok() && next_ < fields_.size()) Field(name, codec, value.emplace());
  }

  void RangeFields(Range& range) {
    Field("OFF", SizeCodec{}, range.offset);
    Field("LEN", SizeCodec{}, range.length);
    int64_t end = 0;
    if (ok() && __builtin_add_overflow(range.offset, range.length, &end)) FailRange(range);
  }

  void OptionalRange(std::optional<Range>& range) {
    if (ok() && NextIsNumber()) RangeFields(range.emplace());
  }

  // A stride can only follow a range.
  void OptionalRangeAndStride(std::optional<Range>& range, int64_t& stride) {
    OptionalRange(range);
    if (range) OptionalStride(stride);
  }

  void OptionalStride(int64_t& stride) {
    if (ok() && NextIsNumber()) Field("STRIDE", SizeCodec{1}, stride);
  }

  // All remaining fields, as one text with single blanks.
  void Rest(std::string_view name, std::string& value);

  // The remaining field is a list of options between commas.
  void CommaList();

  void Flag(std::string_view name, bool& value);

  template <class Codec, class T>
  void Option(std::string_view name, const Codec& codec, std::optional<T>& value) {
    std::string_view text;
    if (FindOption(name, text)) ReadValue(name, text, codec, value.emplace());
  }

  template <class Codec, class T>
  void RequiredOption(std::string_view name, const Codec& codec, T& value) {
    std::string_view text;
    if (FindOption(name, text)) return ReadValue(name, text, codec, value);
    if (ok()) FailMissing(name);
  }

  // An option that need not be given; `value` keeps what it was then.
  template <class Codec, class T>
  void DefaultOption(std::string_view name, const Codec& codec, T& value) {
    std::string_view text;
    if (FindOption(name, text)) ReadValue(name, text, codec, value);
  }

  // A rule between fields.
  void Require(bool holds, std::string_view field, std::string_view value, std::string_view what) {
    if (ok() && !holds) Fail(field, value, what);
  }

  // Fails if a field is left that nothing has read.
  void Finish();

 private:
  bool NextIsNumber() const;
  bool FindOption(std::string_view name, std::string_view& value);
  void FailMissing(std::string_view name);
  void FailRange(const Range& range);

  template <class Codec, class T>
  void ReadValue(std::string_view name, std::string_view text, const Codec& codec, T& value) {
    if (std::string what = codec.Read(text, value); !what.empty()) Fail(name, text, what);
  }

  MachineLimits limits_;
  std::vector<std::string_view> fields_;  // What has been read as an option is removed.
  size_t next_ = 0;
  std::vector<std::string_view> options_;  // The names asked for, for messages.
  std::string (*form_)() = nullptr;
  std::string problem_;
};

// Appends the fields to a line.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}

  // Writing checks nothing.
  const MachineLimits& limits() const { return limits_; }

  template <class Codec, class T>
  void Field(std::string_view, const Codec& codec, const T& value) {
    Separate();
    codec.Write(value, out_);
  }
  template <class Codec, class T>
  void OptionalField(std::string_view name, const Codec& codec, const std::optional<T>& value) {
    if (value) Field(name, codec, *value);
  }
  void RangeFields(const Range& range) {
    Field("OFF", SizeCodec{}, range.offset);
    Field("LEN", SizeCodec{}, range.length);
  }
  void OptionalRange(const std::optional<Range>& range) {
    if (range) RangeFields(*range);
  }
  void OptionalRangeAndStride(const std::optional<Range>& range, int64_t stride) {
    if (!range) NUMASIM_CHECK_EQ(stride, 0);
    OptionalRange(range);
    OptionalStride(stride);
  }
  void OptionalStride(int64_t stride) {
    if (stride != 0) Field("STRIDE", SizeCodec{}, stride);
  }
  void Rest(std::string_view, const std::string& value) { Field("", TextCodec{TextKind::kAnything}, value); }
  void CommaList() { between_ = ","; }
  void Flag(std::string_view name, bool value) {
    if (value) Field(name, TextCodec{TextKind::kAnything}, name);
  }
  template <class Codec, class T>
  void Option(std::string_view name, const Codec& codec, const std::optional<T>& value) {
    if (value) RequiredOption(name, codec, *value);
  }
  template <class Codec, class T>
  void RequiredOption(std::string_view name, const Codec& codec, const T& value) {
    Separate();
    Append(out_, name, "=");
    codec.Write(value, out_);
  }
  template <class Codec, class T>
  void DefaultOption(std::string_view name, const Codec& codec, const T& value) {
    if (value != T()) RequiredOption(name, codec, value);
  }
  void Require(bool, std::string_view, std::string_view, std::string_view) {}

 private:
  void Separate() {
    out_.append(separator_);
    separator_ = between_;
  }

  MachineLimits limits_;
  std::string& out_;
  std::string_view separator_ = " ";
  std::string_view between_ = " ";
};

// Appends the form of the fields: "ID [OFF LEN [STRIDE]] [r]".
class FormWriter {
 public:
  explicit FormWriter(std::string& out) : out_(out) {}

  const MachineLimits& limits() const { return limits_; }

  template <class Codec, class T>
  void Field(std::string_view name, const Codec& codec, const T&) {
    Add(codec.Form(name));
  }
  template <class Codec, class T>
  void OptionalField(std::string_view name, const Codec& codec, const std::optional<T>&) {
    Add(Cat("[", codec.Form(name), "]"));
  }
  void RangeFields(const Range&) { Add("OFF LEN"); }
  void OptionalRange(const std::optional<Range>&) { Add("[OFF LEN]"); }
  void OptionalRangeAndStride(const std::optional<Range>&, int64_t) { Add("[OFF LEN [STRIDE]]"); }
  void OptionalStride(int64_t) { Add("[STRIDE]"); }
  void Rest(std::string_view name, const std::string&) { Add(Cat(name, "...")); }
  void CommaList() { between_ = ","; }
  void Flag(std::string_view name, bool) { Add(Cat("[", name, "]")); }
  template <class Codec, class T>
  void Option(std::string_view name, const Codec& codec, const std::optional<T>&) {
    DefaultOption(name, codec, 0);
  }
  template <class Codec, class T>
  void RequiredOption(std::string_view name, const Codec& codec, const T&) {
    Add(Cat(name, "=", codec.Form("")));
  }
  // The separator of an option that may be left out goes with it: "a=A[,b=B]".
  template <class Codec, class T>
  void DefaultOption(std::string_view name, const Codec& codec, const T&) {
    const bool comma = separator_ == ",";
    Append(out_, comma ? "[," : " [", name, "=", codec.Form(""), "]");
    separator_ = between_;
  }
  void Require(bool, std::string_view, std::string_view, std::string_view) {}

 private:
  void Add(std::string_view form) {
    Append(out_, separator_, form);
    separator_ = between_;
  }

  MachineLimits limits_;
  std::string& out_;
  std::string_view separator_ = " ";
  std::string_view between_ = " ";
};

// What may stand for a part of a form: {"SIZE", "a size above 0, such as 64M"}.
struct FieldMeaning {
  std::string form;
  std::string meaning;
};

// Lists the parts of the form that do not say themselves what may stand for them, as "r|rw|none" does.
class MeaningWriter {
 public:
  const MachineLimits& limits() const { return limits_; }
  const std::vector<FieldMeaning>& meanings() const { return meanings_; }

  template <class Codec, class T>
  void Field(std::string_view name, const Codec& codec, const T&) {
    Add(codec.Form(name), codec.Meaning());
  }
  template <class Codec, class T>
  void OptionalField(std::string_view name, const Codec& codec, const std::optional<T>&) {
    Add(codec.Form(name), codec.Meaning());
  }
  void RangeFields(const Range&) { Add("OFF LEN", std::string(kRange)); }
  void OptionalRange(const std::optional<Range>&) { Add("OFF LEN", Cat(kRange, "; without: all of it")); }
  void OptionalRangeAndStride(const std::optional<Range>& range, int64_t stride) {
    OptionalRange(range);
    OptionalStride(stride);
  }
  void OptionalStride(int64_t) { Add("STRIDE", SizeCodec{1}.Meaning()); }
  void Rest(std::string_view name, const std::string&) { Add(Cat(name, "..."), "the rest of the line"); }
  void CommaList() {}
  void Flag(std::string_view, bool) {}
  template <class Codec, class T>
  void Option(std::string_view name, const Codec& codec, const std::optional<T>&) {
    DefaultOption(name, codec, 0);
  }
  template <class Codec, class T>
  void RequiredOption(std::string_view name, const Codec& codec, const T&) {
    DefaultOption(name, codec, 0);
  }
  template <class Codec, class T>
  void DefaultOption(std::string_view name, const Codec& codec, const T&) {
    Add(Cat(name, "=", codec.Form("")), codec.Meaning());
  }
  void Require(bool, std::string_view, std::string_view, std::string_view) {}

 private:
  static constexpr std::string_view kRange = "sizes: where in the mapping a range begins, and its length";

  void Add(std::string form, std::string meaning) {
    if (!meaning.empty()) meanings_.push_back({std::move(form), std::move(meaning)});
  }

  MachineLimits limits_;
  std::vector<FieldMeaning> meanings_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_LINE_IO_H_
