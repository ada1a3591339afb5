// What tests of trace files share: files that go away, traces expanded to what was reported, random traces.
#ifndef NUMASIM_TESTS_PROTO_TRACE_TEST_UTIL_H_
#define NUMASIM_TESTS_PROTO_TRACE_TEST_UTIL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/trace.pb.h"
#include "proto/trace_reader.h"
#include "proto/trace_writer.h"

namespace numasim {

// A path in the test's own folder at which there is no file, now and after the test, whole or partial.
class TempPath {
 public:
  explicit TempPath(const std::string& name);
  ~TempPath();
  const std::string& get() const { return path_; }
  // Of a trace that is being written.
  std::string partial() const { return path_ + ".partial"; }

 private:
  const std::string path_;
};

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& bytes);
bool Exists(const std::string& path);

// "c0", "c1", ... in pages.
trace::Header HeaderWithColumns(int columns);

trace::Event EventAt(int64_t time_ns, const std::string& kind);
// Acquired 7 times: held 4 times for 8 to 15 ns, 3 times for 64 to 100 ns, 301 ns in all; 1 wait of 40 ns.
trace::LockStats LockNamed(const std::string& name);

struct Sample {
  int64_t time_ns;
  std::vector<int64_t> values;
  bool operator==(const Sample&) const = default;
};

// What a trace holds, one entry per sample, and whether Read found its end.
class Content : public TraceVisitor {
 public:
  void OnSamples(const SampleSpan& span) override;
  void OnEvent(const trace::Event& event) override { events.push_back(event.SerializeAsString()); }
  void OnLock(const trace::LockStats& lock) override { locks.push_back(lock.SerializeAsString()); }

  std::vector<Sample> samples;
  std::vector<std::string> events;  // serialized
  std::vector<int64_t> order;       // times of samples and events as visited
  std::vector<std::string> locks;   // serialized
};

// A source of the bytes a test holds.
class StringSource : public TraceSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, size_t size, std::string* out) override;

 private:
  const std::string bytes_;
};

absl::StatusOr<std::unique_ptr<TraceReader>> OpenBytes(std::string bytes);

// Reports a run drawn from `seed` to `writer` and notes in the result what a reader must see. Columns move at
// different paces, some never; times are regular with breaks; idle stretches are repeats.
Content ReportRandomRun(uint64_t seed, int columns, int steps, TraceWriter* writer);

}  // namespace numasim

#endif  // NUMASIM_TESTS_PROTO_TRACE_TEST_UTIL_H_
