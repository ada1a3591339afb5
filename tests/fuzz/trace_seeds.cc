// Writes the seed corpus of trace_fuzz into the files given: a whole trace, a cut one, and blocks as the
// target takes them (a byte for the number of columns, then the block).
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "proto/trace.pb.h"
#include "proto/trace_reader.h"
#include "proto/trace_writer.h"

namespace numasim {
namespace {

constexpr int kColumns = 3;

absl::Status WriteTrace(const std::string& path) {
  trace::Header header;
  header.set_scenario("seed: 1");
  for (int i = 0; i < kColumns; ++i)
    header.add_column()->set_name(std::string(1, static_cast<char>('a' + i)));
  auto writer = TraceWriter::Create(path, header);
  if (!writer.ok()) return writer.status();
  for (int64_t i = 0; i < 20; ++i) (*writer)->AddSample(i * 1000, {i * i, i / 7, 5});
  (*writer)->AddRepeat(25000, 500, 9);
  trace::Event event;
  event.set_time_ns(3500);
  event.set_kind("alloc_failed");
  event.mutable_failure()->add_node(1);
  event.mutable_failure()->mutable_at()->set_pfn(4096);
  (*writer)->AddEvent(event);
  trace::LockStats lock;
  lock.set_name("hugetlb_lock");
  lock.mutable_wait_ns()->add_bucket()->set_count(1);
  (*writer)->AddLockStats(lock);
  return (*writer)->Finish();
}

std::string ReadFile(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// A block with each kind of field, gaps and a repeat before any row.
std::string OneBlock() {
  trace::Block block;
  for (int i = 0; i < kColumns; ++i) block.add_base(i - 1);
  trace::SampleRun* run = block.add_run();
  run->set_first_ns(0);
  run->set_repeat(true);
  run = block.add_run();
  run->set_first_ns(1000);
  run->set_interval_ns(1000);
  run->set_count(4);
  trace::ColumnChanges* changes = block.add_changes();
  changes->set_column(1);
  for (uint32_t gap : {2u, 2u}) {
    changes->add_row_gap(gap);
    changes->add_delta(-70000);
  }
  block.add_event()->set_time_ns(1500);
  block.add_lock()->set_name("l");
  return static_cast<char>(kColumns) + block.SerializeAsString();
}

int Main(const std::string& whole, const std::string& cut, const std::string& block) {
  if (const absl::Status status = WriteTrace(whole); !status.ok()) {
    std::cerr << status.message() << "\n";
    return 1;
  }
  const std::string bytes = ReadFile(whole);
  std::ofstream(cut, std::ios::binary) << bytes.substr(0, bytes.size() - 30);
  std::ofstream(block, std::ios::binary) << OneBlock();
  return 0;
}

}  // namespace
}  // namespace numasim

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: trace_seeds WHOLE CUT BLOCK\n";
    return 1;
  }
  return numasim::Main(argv[1], argv[2], argv[3]);
}
