#include "workloads/script.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "workloads/operation_table.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

Script Parsed(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript(text, "s.mm");
  EXPECT_TRUE(script.ok()) << script.status() << "\nin:\n" << text;
  return script.ok() ? *std::move(script) : Script();
}

// The message for a script with one mistake.
std::string Mistake(const std::string& text) {
  const absl::StatusOr<Script> script = ParseScript(text, "s.mm");
  if (script.ok()) return "(no mistake found)";
  EXPECT_EQ(script.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(script.status().message());
}

// The message for a mistake in the last line, where `p` is a process with a mapping `a` on a machine of 4
// nodes.
std::string MistakeIn(const std::string& line) {
  return Mistake("machine nodes=4 node_mem=1G cpus_per_node=2\nspawn p\n@p map a 8M anon\n" + line + "\n");
}

// The operation that a system's line means.
OpKind System(const std::string& line) {
  const Script script = Parsed(line);
  EXPECT_EQ(script.ops.size(), 1u);
  return script.ops.empty() ? OpKind() : script.ops.back().kind;
}

// The operation that a line of process `p`, which has a mapping `a`, means.
OpKind OfP(const std::string& line) {
  const Script script = Parsed("spawn p\n@p map a 8M anon\n@p " + line);
  EXPECT_EQ(script.ops.size(), 3u);
  if (script.ops.size() != 3u) return OpKind();
  EXPECT_EQ(script.ops.back().process, "p");
  return script.ops.back().kind;
}

template <class Kind>
void ExpectIs(const OpKind& kind, const Kind& expected, const std::string& line) {
  ASSERT_TRUE(std::holds_alternative<Kind>(kind)) << line;
  EXPECT_TRUE(std::get<Kind>(kind) == expected) << line << " was read as " << OperationName(kind);
}

TEST(ScriptTest, SystemOperationsAreReadFieldByField) {
  const std::vector<std::pair<std::string, OpKind>> cases = {
      {"pool 2M node3 40", PoolOp{HugePageSize::k2M, {3}, 40}},
      {"pool 1G all 2", PoolOp{HugePageSize::k1G, {PoolTarget::kAllNodes}, 2}},
      {"overcommit 2M 16", OvercommitOp{HugePageSize::k2M, 16}},
      {"demote 1G node1 2", DemoteOp{HugePageSize::k1G, 1, 2}},
      {"mount_hugetlbfs /pool pagesize=2M", MountHugetlbfsOp{"/pool", HugePageSize::k2M, {}, {}}},
      {"mount_hugetlbfs /p pagesize=1G,min_size=8M,size=16M",
       MountHugetlbfsOp{"/p", HugePageSize::k1G, 16 * kMiB, 8 * kMiB}},
      {"umount /pool", UmountOp{"/pool"}},
      {"unlink /pool/a", UnlinkOp{"/pool/a"}},
      {"unlink_hugetlb f", UnlinkHugetlbOp{"f"}},
      {"thp enabled madvise", ThpOp{ThpOp::Knob::kEnabled, "madvise"}},
      {"thp shmem_enabled within_size", ThpOp{ThpOp::Knob::kShmemEnabled, "within_size"}},
      {"thp use_zero_page 0", ThpOp{ThpOp::Knob::kUseZeroPage, "0"}},
      {"thp defrag defer+madvise", ThpOp{ThpOp::Knob::kDefrag, "defer+madvise"}},
      {"khugepaged_set max_ptes_none 64", KhugepagedSetOp{KhugepagedSetOp::Knob::kMaxPtesNone, 64}},
      {"khugepaged_set max_ptes_shared 0", KhugepagedSetOp{KhugepagedSetOp::Knob::kMaxPtesShared, 0}},
      {"khugepaged 2", KhugepagedOp{2}},
      {"drop_caches 2", DropCachesOp{2}},
      {"compact", CompactOp{}},
      {"sysctl vm.min_free_kbytes 65536", SysctlOp{"vm.min_free_kbytes", "65536"}},
      {"sysctl vm.lowmem_reserve_ratio 256  256 32 0", SysctlOp{"vm.lowmem_reserve_ratio", "256 256 32 0"}},
      {"offline_block node1 5", OfflineBlockOp{1, {5, 5}}},
      {"offline_block node0 2-7", OfflineBlockOp{0, {2, 7}}},
      {"virtio_mem 256M", VirtioMemOp{256 * kMiB}},
      {"sleep 3000", SleepOp{3'000'000'000}},
      {"sleep 1.5us", SleepOp{1500}},
      {"spawn p-1.x_", SpawnOp{"p-1.x_"}},
  };
  for (const auto& [line, expected] : cases) {
    std::visit([&, &line = line](const auto& op) { ExpectIs(System(line), op, line); }, expected);
  }
}

TEST(ScriptTest, ProcessOperationsAreReadFieldByField) {
  const std::vector<std::pair<std::string, OpKind>> cases = {
      {"cpu 3", CpuOp{3}},
      {"oom_score_adj 500", OomScoreAdjOp{500}},
      {"oom_score_adj -1001", OomScoreAdjOp{-1001}},
      {"policy bind:1-2", PolicyOp{{Policy::Mode::kBind, NodeMask(0b110)}}},
      {"policy default", PolicyOp{{Policy::Mode::kDefault, NodeMask(0)}}},
      {"policy local", PolicyOp{{Policy::Mode::kLocal, NodeMask(0)}}},
      {"policy preferred:3", PolicyOp{{Policy::Mode::kPreferred, NodeMask(0b1000)}}},
      {"policy preferred_many:0,2", PolicyOp{{Policy::Mode::kPreferredMany, NodeMask(0b101)}}},
      {"policy interleave:0-3,5", PolicyOp{{Policy::Mode::kInterleave, NodeMask(0b101111)}}},
      {"map b 1500K anon", MapOp{.id = "b", .size = 1500 * kKiB}},
      {"touch a", TouchOp{"a", {}, 0, false}},
      {"touch a r", TouchOp{"a", {}, 0, true}},
      {"touch a 4M 2M", TouchOp{"a", Range{4 * kMiB, 2 * kMiB}, 0, false}},
      {"touch a 0 2M 8K", TouchOp{"a", Range{0, 2 * kMiB}, 8 * kKiB, false}},
      {"touch a 0M 2M 8K r", TouchOp{"a", Range{0, 2 * kMiB}, 8 * kKiB, true}},
      {"touch a 1M 2M r", TouchOp{"a", Range{kMiB, 2 * kMiB}, 0, true}},
      {"unmap a", UnmapOp{"a", {}}},
      {"unmap a 2M 1M", UnmapOp{"a", Range{2 * kMiB, kMiB}}},
      {"protect a 0 4K r", ProtectOp{"a", {0, 4 * kKiB}, ProtectOp::Access::kRead}},
      {"protect a 0 4K rw", ProtectOp{"a", {0, 4 * kKiB}, ProtectOp::Access::kReadWrite}},
      {"protect a 0 4K none", ProtectOp{"a", {0, 4 * kKiB}, ProtectOp::Access::kNone}},
      {"lock a", LockOp{"a"}},
      {"lock a 1M 2M", LockOp{"a", Range{1 << 20, 2 << 20}}},
      {"policy bind", PolicyOp{Policy{Policy::Mode::kBind, NodeMask()}}},
      {"policy local:1", PolicyOp{Policy{Policy::Mode::kLocal, NodeMask(0b10)}}},
      {"policy preferred:0-1,9", PolicyOp{Policy{Policy::Mode::kPreferred, NodeMask(0b1000000011)}}},
      {"advise a 0 1M dontneed", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kDontneed, 0}},
      {"advise a 64K 512M dontneed 128K",
       AdviseOp{"a", {64 * kKiB, 512 * kMiB}, AdviseOp::Advice::kDontneed, 128 * kKiB}},
      {"advise a 0 1M free", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kFree, 0}},
      {"advise a 0 1M remove", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kRemove, 0}},
      {"advise a 0 1M hugepage", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kHugepage, 0}},
      {"advise a 0 1M nohugepage", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kNohugepage, 0}},
      {"advise a 0 1M collapse", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kCollapse, 0}},
      {"advise a 0 1M populate_read", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kPopulateRead, 0}},
      {"advise a 0 1M populate_write", AdviseOp{"a", {0, kMiB}, AdviseOp::Advice::kPopulateWrite, 0}},
      {"bind a interleave:0-1", BindOp{"a", {Policy::Mode::kInterleave, NodeMask(0b11)}}},
      {"move a 1", MoveOp{"a", 1}},
      {"fallocate a 2M 4M", FallocateOp{"a", {2 * kMiB, 4 * kMiB}}},
      {"punch a 2M 4M", PunchOp{"a", {2 * kMiB, 4 * kMiB}}},
      {"truncate a 12M", TruncateOp{"a", 12 * kMiB}},
      {"pin a", PinOp{"a", {}}},
      {"pin a 2M 4M", PinOp{"a", Range{2 * kMiB, 4 * kMiB}}},
      {"unpin a", UnpinOp{"a", false}},
      {"unpin a irq", UnpinOp{"a", true}},
      {"pool 2M mempolicy 9", ProcessPoolOp{HugePageSize::k2M, true, 9}},
      {"pool 2M all 4", ProcessPoolOp{HugePageSize::k2M, false, 4}},
      {"fork q", ForkOp{"q"}},
      {"exit", ExitOp{}},
  };
  for (const auto& [line, expected] : cases) {
    std::visit([&, &line = line](const auto& op) { ExpectIs(OfP(line), op, line); }, expected);
  }
}

TEST(ScriptTest, MapTakesItsOptionsInAnyOrder) {
  const MapOp expected = {.id = "m",
                          .size = 24 * kMiB,
                          .backing = Backing::kHugetlb2M,
                          .shared = true,
                          .noreserve = true,
                          .populate = true,
                          .file = "/pool/fc",
                          .policy = Policy{Policy::Mode::kPreferred, NodeMask(0b1)},
                          .thp = MapOp::Thp::kNohugepage};
  for (const std::string options :
       {"shared noreserve populate file=/pool/fc policy=preferred:0 thp=nohugepage",
        "thp=nohugepage policy=preferred:0 file=/pool/fc populate noreserve shared",
        "file=/pool/fc shared thp=nohugepage populate policy=preferred:0 noreserve"}) {
    ExpectIs(OfP("map m 24M hugetlb-2M " + options), expected, options);
  }
}

TEST(ScriptTest, EveryBackingIsRead) {
  for (const auto& [word, backing] :
       std::vector<std::pair<std::string, Backing>>{{"anon", Backing::kAnon},
                                                    {"shmem", Backing::kShmem},
                                                    {"hugetlb-2M", Backing::kHugetlb2M},
                                                    {"hugetlb-1G", Backing::kHugetlb1G}}) {
    ExpectIs(OfP("map m 1G " + word), MapOp{.id = "m", .size = kGiB, .backing = backing}, word);
  }
}

TEST(ScriptTest, AMappingOfAFileOnTheDiskSaysWhichFile) {
  ExpectIs(OfP("map m 1G file file=data shared"),
           MapOp{.id = "m", .size = kGiB, .backing = Backing::kFile, .shared = true, .file = "data"},
           "shared");
  ExpectIs(OfP("read a 1M 2M"), ReadOp{"a", Range{kMiB, 2 * kMiB}}, "read");
}

TEST(ScriptTest, LinesKeepTheirNumberAndText) {
  const Script script = Parsed("# what it is for\n\n  pool  2M all 4   # trailing\r\nspawn p\n@p exit\n");
  ASSERT_EQ(script.ops.size(), 3u);
  EXPECT_EQ(script.ops[0].line, 3);
  EXPECT_EQ(script.ops[0].text, "pool  2M all 4");
  EXPECT_EQ(script.ops[0].process, "");
  EXPECT_EQ(script.ops[2].line, 5);
  EXPECT_EQ(script.ops[2].text, "@p exit");
  EXPECT_EQ(script.ops[2].process, "p");
}

// Room for all operations is made only behind the first thousand lines.
TEST(ScriptTest, TheLinesOfALongScriptAreAllReadAndNumbered) {
  constexpr int kLines = 3000;
  std::string text = "spawn p\n";
  for (int i = 2; i <= kLines; ++i) text += i % 2 == 0 ? "@p map m" + std::to_string(i) + " 4K anon\n" : "\n";
  const Script script = Parsed(text);
  ASSERT_EQ(script.ops.size(), 1501u);
  for (size_t i = 1; i < script.ops.size(); ++i) ASSERT_EQ(script.ops[i].line, 2 * static_cast<int>(i));
  EXPECT_EQ(script.ops.back().text, "@p map m3000 4K anon");
  EXPECT_THAT(Mistake(text + "@p tuch m2\n"), HasSubstr("s.mm:3001: "));
}

TEST(ScriptTest, MachineLineGivesMemoryPerNode) {
  const Script script = Parsed("machine nodes=3 node_mem=512M,384M,1T cpus_per_node=2\n");
  ASSERT_TRUE(script.machine.has_value());
  EXPECT_EQ(script.machine->nodes, 3);
  EXPECT_THAT(script.machine->node_mem, ElementsAre(512 * kMiB, 384 * kMiB, 1024 * kGiB));
  EXPECT_EQ(script.machine->cpus_per_node, 2);
  EXPECT_FALSE(script.machine->virtio_mem.has_value());
  EXPECT_EQ(script.machine->kernel_args, "");
}

TEST(ScriptTest, OneNodeMemoryIsForEveryNode) {
  const Script script = Parsed(
      "machine nodes=2 node_mem=1G virtio_mem=1:1G:512M kernel_args=\"movablecore=1G a#b\" # comment\n");
  ASSERT_TRUE(script.machine.has_value());
  EXPECT_THAT(script.machine->node_mem, ElementsAre(kGiB, kGiB));
  EXPECT_EQ(script.machine->cpus_per_node, 1);
  EXPECT_TRUE(script.machine->virtio_mem == (VirtioMemDevice{1, kGiB, 512 * kMiB}));
  EXPECT_EQ(script.machine->kernel_args, "movablecore=1G a#b");
}

TEST(ScriptTest, ToleranceCommentIsAShare) {
  EXPECT_EQ(Parsed("# tolerance 3%\n").tolerance, 0.03);
  EXPECT_EQ(Parsed("#tolerance 2.5%  of the node\n").tolerance, 0.025);
  EXPECT_EQ(Parsed("# no tolerance 3%\n").tolerance, 0);
  EXPECT_EQ(Mistake("# tolerance 3x%\n"), "s.mm:1: tolerance: '3x' is not a share; expected 0% to 100%");
}

TEST(ScriptTest, WhatIsRepeatedIsThereSoOften) {
  const Script script = Parsed("spawn p\nrepeat 2\n@p cpu 0\nrepeat 3\nsleep 1\nend\nend\n@p exit\n");
  std::vector<int> lines;
  for (const Op& op : script.ops) lines.push_back(op.line);
  EXPECT_THAT(lines, ElementsAre(1, 3, 5, 5, 5, 3, 5, 5, 5, 8));
}

TEST(ScriptTest, ProcessOfARepetitionMayBeSpawnedAndExitInIt) {
  EXPECT_EQ(Parsed("repeat 4\nspawn p\n@p exit\nend").ops.size(), 8u);
}

TEST(ScriptErrorTest, WrongRepetitionsAreRefused) {
  EXPECT_EQ(Mistake("sleep 1\nrepeat 3\nsleep 1\n"),
            "s.mm:2: repeat: has no end; expected a line 'end' after what is repeated");
  EXPECT_EQ(Mistake("sleep 1\nend\n"), "s.mm:2: end: 'end' ends nothing; expected a 'repeat N' before it");
  EXPECT_THAT(Mistake("repeat 0\nend"), StartsWith("s.mm:1: repeat: '0' is too small"));
  EXPECT_EQ(Mistake("repeat\nend"), "s.mm:1: repeat: how often is missing; expected 'repeat N'");
  EXPECT_THAT(Mistake("repeat 3 times\nend"),
              HasSubstr("'times' is one field too many; expected 'repeat N'"));
  EXPECT_THAT(Mistake("repeat 3\nend now"), HasSubstr("'now' is one field too many; expected 'end'"));
  EXPECT_THAT(Mistake("spawn p\nrepeat 2\n@p exit\nend\n"),
              StartsWith("s.mm:4: repeated, line 3: process: 'p'"));
  EXPECT_THAT(Mistake("repeat 1000000\nsleep 1\nrepeat 2\nsleep 1\nend\nend"),
              HasSubstr("makes more than 1000000 operations"));
}

TEST(ScriptTest, EmptyScriptHasNoOperations) {
  EXPECT_TRUE(Parsed("").ops.empty());
  EXPECT_TRUE(Parsed("\n\n# nothing\n").ops.empty());
}

TEST(ScriptTest, PrintedMachineParsesToTheSame) {
  const std::string text =
      "machine nodes=2 node_mem=1G,384M cpus_per_node=2 virtio_mem=1:1G:512M kernel_args=\"a=1 b\"";
  EXPECT_EQ(ToString(*Parsed(text).machine), text);
}

// ---- Mistakes ----

TEST(ScriptErrorTest, UnknownOperationSuggestsTheNearest) {
  EXPECT_THAT(MistakeIn("@p toch a"),
              testing::AllOf(StartsWith("s.mm:4: operation: 'toch' is not an operation of a "
                                        "process; expected one of cpu, oom_score_adj, policy, map, touch,"),
                             testing::EndsWith("exit; did you mean 'touch'?")));
  EXPECT_THAT(MistakeIn("khugpaged 2"), testing::EndsWith("did you mean 'khugepaged'?"));
  EXPECT_THAT(MistakeIn("frobnicate 2"), testing::Not(HasSubstr("did you mean")));
}

TEST(ScriptErrorTest, MessagesNameFileLineFieldValueAndWhatIsRight) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      // Whose operation.
      {"touch a",
       "operation: 'touch' is an operation of a process; expected '@P touch ID [OFF LEN [STRIDE]] [r]'"},
      {"@p compact", "operation: 'compact' is an operation of the system; expected 'compact'"},
      {"@p", "operation: is missing; expected '@P OPERATION ...'"},
      {"@ touch a", "process: '' is not a name; expected letters, digits, '_', '.' or '-'"},
      {"@p/q touch a", "process: 'p/q' is not a name; expected letters, digits, '_', '.' or '-'"},
      // Sizes.
      {"@p map b 8X anon", "SIZE: '8X' has the unknown unit 'X'; expected K, M, G or T"},
      {"@p map b 8MB anon", "SIZE: '8MB' has the unknown unit 'MB'; expected K, M, G or T"},
      {"@p map b 1.5G anon",
       "SIZE: '1.5G' is not a whole number; expected a size of 0 or more, such as 64M (take a "
       "smaller unit for a fraction)"},
      {"@p map b -8M anon", "SIZE: '-8M' is negative; expected a size of 0 or more, such as 64M"},
      {"@p map b 0 anon", "SIZE: '0' is too small; expected a size above 0, such as 64M"},
      {"@p map b many anon", "SIZE: 'many' is not a size; expected a size of 0 or more, such as 64M"},
      {"@p map b 8388608T anon", "SIZE: '8388608T' is too large; expected at most 8388607T"},
      {"@p map b 99999999999999999999 anon",
       "SIZE: '99999999999999999999' is too large; expected at most 8388607T"},
      {"@p touch a 0 4M 0", "STRIDE: '0' is too small; expected a size above 0, such as 64M"},
      {"@p touch a -4K 4M", "OFF: '-4K' is negative; expected a size of 0 or more, such as 64M"},
      {"@p touch a 8388607T 1T",
       "OFF LEN: '8388607T 1T' is a range that ends too high; expected an end of at most "
       "8388607T"},
      // Counts.
      {"pool 2M all -1", "COUNT: '-1' is negative; expected a whole number of 0 or more"},
      {"pool 2M all 1K", "COUNT: '1K' is not a whole number; expected a whole number of 0 or more"},
      {"pool 2M all 9223372036854775808",
       "COUNT: '9223372036854775808' is too large; expected a whole number of 0 or "
       "more"},
      {"khugepaged 0", "SCANS: '0' is too small; expected a whole number of 1 or more"},
      {"drop_caches 4", "WHAT: '4' is too large; expected a whole number from 1 to 3"},
      {"sleep 9223372036855", "TIME: '9223372036855' is too large; expected at most 9223372036s"},
      {"sleep 1.5", "TIME: '1.5' has no unit; expected one of h, m, s, ms, us or ns, such as 10ms"},
      {"sleep 0.5ns",
       "TIME: '0.5ns' is not a whole number of nanoseconds; expected a time such as 10ms, 1.5s or 250ns"},
      {"sleep -1", "TIME: '-1' is negative; expected a time of 0 or more, such as 10ms or 1.5s"},
      // Nodes and CPUs beyond the machine.
      {"pool 2M node4 1", "POOL: 'node4' is a node that does not exist; expected 0 to 3"},
      {"pool 2M nodeX 1", "POOL: 'nodeX' is not a whole number; expected the number of a node from 0 to 3"},
      {"pool 2M some 1", "POOL: 'some' is not a pool; expected nodeN or all"},
      {"pool 2M mempolicy 1",
       "POOL: 'mempolicy' needs a process whose policy it is; expected nodeN or all, or '@P "
       "pool' before it"},
      {"@p pool 2M node1 1", "POOL: 'node1' is not known; expected one of mempolicy, all"},
      {"demote 1G 1 1", "nodeN: '1' is not a node; expected node0 to node3"},
      {"demote 2M node1 1", "SIZE: '2M' is not known; expected 1G"},
      {"offline_block node9 1", "nodeN: 'node9' is a node that does not exist; expected 0 to 3"},
      {"offline_block node1 x",
       "FIRST[-LAST]: 'x' is not a whole number; expected the place of a block among the node's online ones, "
       "from 0, or a range such as 0-3"},
      {"offline_block node1 -1",
       "FIRST[-LAST]: '-1' is negative; expected the place of a block among the node's online ones, from 0, "
       "or a range such as 0-3"},
      {"offline_block node1 3-",
       "FIRST[-LAST]: '3-' is half a range; expected the place of a block among the node's "
       "online ones, from 0, or a range such as 0-3"},
      {"offline_block node1 3-2",
       "FIRST[-LAST]: '3-2' ends before it begins; expected the smaller number first"},
      {"cma_alloc camera a 1M align=3M",
       "align: '3M' is no power of two of at least 4K; expected such as 64K"},
      {"cma_alloc camera a 1M align=2K",
       "align: '2K' is no power of two of at least 4K; expected such as 64K"},
      {"cma_release a",
       "NAME: 'a' is not a range that a driver took; expected 'cma_alloc AREA a SIZE' before"},
      {"@p move a 4", "NODE: '4' is a node that does not exist; expected 0 to 3"},
      {"@p cpu 8", "CPU: '8' is a CPU that does not exist; expected 0 to 7"},
      {"@p cpu x", "CPU: 'x' is not a whole number; expected the number of a CPU from 0 to 7"},
      {"@p policy bind:0-3,64",
       "POLICY: 'bind:0-3,64' names node 64, which does not exist; expected nodes from 0 to 63"},
      {"@p map b 4M anon policy=bind:64",
       "policy: 'bind:64' names node 64, which does not exist; expected nodes from 0 "
       "to 63"},
      {"@p bind a interleave:0-18446744073709551616",
       "POLICY: 'interleave:0-18446744073709551616' is not a list of "
       "nodes; expected node numbers and ranges, such as 0-3,5"},
      // Policies.
      {"@p policy bind:",
       "POLICY: 'bind:' is not a list of nodes; expected node numbers and ranges, such as 0-3,5"},
      {"@p policy bind:3-1",
       "POLICY: 'bind:3-1' has a range that ends before it begins (3-1); expected the smaller "
       "node first"},
      {"@p policy bnd:1",
       "POLICY: 'bnd:1' has a mode that is not known; expected one of default, bind, preferred, "
       "preferred_many, interleave, local; did you mean 'bind'?"},
      // Words.
      {"@p map b 8M annon",
       "BACKING: 'annon' is not known; expected one of anon, shmem, file, hugetlb-2M, hugetlb-1G; did "
       "you mean 'anon'?"},
      {"@p map b 8M file",
       "BACKING: 'file' is a mapping of a file on the disk, and which is not said; expected file=NAME behind "
       "it"},
      {"@p advise a 0 1M dontned",
       "ADVICE: 'dontned' is not known; expected one of dontneed, free, remove, hugepage, "
       "nohugepage, collapse, populate_read, populate_write; did you mean 'dontneed'?"},
      {"@p protect a 0 4K w", "ACCESS: 'w' is not known; expected one of r, rw, none; did you mean 'rw'?"},
      {"thp enable never",
       "KNOB: 'enable' is not known; expected one of enabled, shmem_enabled, use_zero_page, "
       "defrag; did you mean 'enabled'?"},
      {"thp enabled sometimes", "VALUE: 'sometimes' is not known; expected one of always, madvise, never"},
      {"thp use_zero_page 2", "VALUE: '2' is not known; expected one of 0, 1"},
      {"khugepaged_set max_ptes 1",
       "KEY: 'max_ptes' is not known; expected one of defrag, max_ptes_none, "
       "max_ptes_shared, max_ptes_swap, pages_to_scan, scan_sleep_millisecs, "
       "alloc_sleep_millisecs"},
      {"sysctl kernel.x 1", "vm.NAME: 'kernel.x' is not a sysctl of memory; expected vm.NAME"},
      {"umount pool", "/DIR: 'pool' is not a mount point; expected /DIR"},
      {"unlink pool/a", "PATH: 'pool/a' is not a file of a mount; expected /DIR/NAME"},
      {"unlink_hugetlb /pool/a",
       "FILE: '/pool/a' is not a file on the default mount; expected a NAME without '/'"},
      // Options.
      {"@p map b 8M anon populat",
       "option: 'populat' is not known; expected one of shared, noreserve, populate, file, "
       "policy, thp; did you mean 'populate'?"},
      {"@p map b 8M anon shared=1", "shared: 'shared=1' is with a value; expected shared alone"},
      {"@p map b 8M anon policy", "policy: 'policy' is without a value; expected policy=VALUE"},
      {"@p map b 8M anon shared shared", "shared: 'shared' is there twice; expected it once"},
      {"@p map b 8M shmem file=x file=y", "file: 'file=y' is there twice; expected it once"},
      {"@p map b 8M shmem file=x/y",
       "file: 'x/y' is not a file; expected NAME on the default mount, or /DIR/NAME"},
      {"@p map b 8M anon file=x",
       "file: 'x' is for a mapping without a file; expected shmem, file, hugetlb-2M or "
       "hugetlb-1G in place of anon"},
      {"mount_hugetlbfs /p size=4M",
       "pagesize: is missing; expected 'mount_hugetlbfs /DIR "
       "pagesize=2M|1G[,size=SIZE][,min_size=SIZE]'"},
      {"mount_hugetlbfs /p pagesize=2M,sise=4M",
       "option: 'sise=4M' is not known; expected one of pagesize, size, "
       "min_size; did you mean 'size'?"},
      // Too few and too many.
      {"@p unmap a 4M", "LEN: is missing; expected '@P unmap ID [OFF LEN]'"},
      {"@p touch", "ID: is missing; expected '@P touch ID [OFF LEN [STRIDE]] [r]'"},
      {"@p touch a 0 4M 8K w",
       "line: 'w' is one field too many; expected '@P touch ID [OFF LEN [STRIDE]] [r]'"},
      {"pool 2M all", "COUNT: is missing; expected 'pool 2M|1G nodeN|all COUNT'"},
      {"compact now", "line: 'now' is one field too many; expected 'compact'"},
      {"spawn \"q", "line: '\\\"q' is not closed; expected a second '\"'"},
      // Processes and mappings.
      {"spawn p", "P: 'p' is a process since line 2; expected a name that no live process has"},
      {"@p fork p", "Q: 'p' is a process since line 2; expected a name that no live process has"},
      {"@q cpu 0", "process: 'q' is not a process yet; expected 'spawn q' or '@P fork q' before"},
      {"@p touch b",
       "ID: 'b' is not a mapping that 'p' or a parent of it made; expected '@p map b ...' before"},
      {"machine nodes=1 node_mem=1G", "machine: 'machine' is there twice; expected the one in line 1 only"},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(MistakeIn(line), "s.mm:4: " + expected);
}

TEST(ScriptErrorTest, MachineLineIsChecked) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"node_mem=1G",
       "nodes: is missing; expected 'machine nodes=NUMBER node_mem=SIZE[,SIZE...] "
       "[cpus_per_node=NUMBER] [virtio_mem=NODE:MAX:PLUGGED] [disk=SIZE] [kernel_args=\"...\"]'"},
      {"nodes=0 node_mem=1G", "nodes: '0' is too small; expected a whole number from 1 to 64"},
      {"nodes=65 node_mem=1G", "nodes: '65' is too large; expected a whole number from 1 to 64"},
      {"nodes=3 node_mem=1G,2G",
       "node_mem: '1G,2G' is for 2 nodes; expected one size for each of the 3 nodes, or one "
       "for all"},
      {"nodes=2 node_mem=1G,-2G",
       "node_mem: '1G,-2G' holds '-2G', which is negative; expected a size of 0 or more, "
       "such as 64M"},
      {"nodes=1 node_mem=1000",
       "node_mem: '1000' holds '1000', which is no whole number of 4K pages; expected a size such as 64M"},
      {"nodes=2 node_mem=0",
       "node_mem: '0' leaves the machine without memory; expected a size such as 1G for at least one node"},
      {"nodes=2 node_mem=1G virtio_mem=2:1G:0",
       "virtio_mem: '2:1G:0' has a NODE that is a node that does not exist; "
       "expected 0 to 1"},
      {"nodes=2 node_mem=1G virtio_mem=1:1G:2G",
       "virtio_mem: '1:1G:2G' has more plugged than MAX; expected PLUGGED of "
       "at most 1G"},
      {"nodes=2 node_mem=1G virtio_mem=1:1G:100M",
       "virtio_mem: '1:1G:100M' has a size that is no multiple of 128M, the size of a memory block; expected "
       "such as 1:1G:512M"},
      {"nodes=2 node_mem=1G virtio_mem=1",
       "virtio_mem: '1' has not three parts; expected NODE:MAX:PLUGGED, such as "
       "1:1G:512M"},
      {"nodes=1 node_mem=1G cpus=4",
       "option: 'cpus=4' is not known; expected one of nodes, node_mem, cpus_per_node, "
       "virtio_mem, disk, kernel_args"},
      {"nodes=1 node_mem=1G kernel_args=\"a",
       "line: 'kernel_args=\\\"a' is not closed; expected a second '\"'"},
  };
  for (const auto& [fields, expected] : cases)
    EXPECT_EQ(Mistake("machine " + fields + "\n"), "s.mm:1: " + expected);
}

TEST(ScriptErrorTest, MachineComesBeforeOperations) {
  EXPECT_EQ(Mistake("compact\nmachine nodes=1 node_mem=1G\n"),
            "s.mm:2: machine: 'machine' is after the first operation; expected it before all operations");
}

TEST(ScriptErrorTest, ExitedProcessCannotBeUsed) {
  EXPECT_EQ(Mistake("spawn p\n@p fork q\n@p exit\n@q exit\n@p touch a\n"),
            "s.mm:5: process: 'p' is gone since its exit in line 3; expected a live process");
}

TEST(ScriptErrorTest, OuterMachineOverridesTheScriptsOwn) {
  const std::string text = "machine nodes=4 node_mem=1G\npool 2M node2 1\n";
  EXPECT_TRUE(ParseScript(text, "s.mm").ok());
  const absl::StatusOr<Script> script = ParseScript(text, "dir/s.mm", MachineLimits{2, 2});
  EXPECT_EQ(script.status().message(),
            "dir/s.mm:2: POOL: 'node2' is a node that does not exist; expected 0 to 1");
}

TEST(ScriptErrorTest, LongAndUnprintableValuesAreShownSafely) {
  EXPECT_EQ(Mistake("spawn \x01p\n"),
            "s.mm:1: P: '\\x01p' is not a name; expected letters, digits, '_', '.' or '-'");
  EXPECT_THAT(Mistake("spawn " + std::string(1000, '*') + "\n"),
              StartsWith("s.mm:1: P: '" + std::string(60, '*') + "...'"));
}

TEST(ScriptErrorTest, NearMappingIsSuggested) {
  EXPECT_EQ(Mistake("spawn p\n@p map heap 4M anon\n@p touch haep\n"),
            "s.mm:3: ID: 'haep' is not a mapping that 'p' or a parent of it made; expected '@p map haep ...' "
            "before; "
            "did you mean 'heap'?");
}

// ---- Processes and mappings ----

TEST(ScriptProcessTest, ChildHasWhatItsAncestorsMappedBeforeTheFork) {
  EXPECT_TRUE(
      ParseScript("spawn p\n@p map a 4M anon\n@p fork q\n@q fork r\n@r touch a\n@q touch a\n", "s").ok());
  EXPECT_EQ(
      Mistake("spawn p\n@p fork q\n@p map a 4M anon\n@q touch a\n"),
      "s.mm:4: ID: 'a' is not a mapping that 'q' or a parent of it made; expected '@q map a ...' before");
}

TEST(ScriptProcessTest, LateMappingOfAGrandparentIsNotInherited) {
  const std::string script = "spawn p\n@p fork q\n@p map a 4M anon\n@q fork r\n@r touch a\n";
  EXPECT_THAT(Mistake(script), StartsWith("s.mm:5: ID: 'a' is not a mapping"));
}

TEST(ScriptProcessTest, ParentDoesNotSeeItsChildsMappings) {
  EXPECT_THAT(Mistake("spawn p\n@p fork q\n@q map a 4M anon\n@p touch a\n"), StartsWith("s.mm:4: ID: 'a'"));
}

TEST(ScriptProcessTest, UnmappedIdStaysKnown) {
  EXPECT_TRUE(ParseScript("spawn p\n@p map a 4M anon\n@p unmap a\n@p touch a\n", "s").ok());
}

TEST(ScriptProcessTest, NameIsFreeAfterExitAndStartsWithoutMappings) {
  EXPECT_TRUE(ParseScript("spawn p\n@p exit\nspawn p\n@p exit\n", "s").ok());
  EXPECT_THAT(Mistake("spawn p\n@p map a 4M anon\n@p exit\nspawn p\n@p touch a\n"),
              StartsWith("s.mm:5: ID: 'a'"));
}

TEST(ScriptProcessTest, ChildOutlivesItsParent) {
  EXPECT_TRUE(ParseScript("spawn p\n@p map a 4M anon\n@p fork q\n@p exit\n@q touch a\n", "s").ok());
}

// ---- Sample scripts, most of them with a recording of a real kernel ----

std::vector<std::filesystem::path> SampleScripts() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"tests/workloads/testdata", "tests/kernel_truth"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".mm") paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string Contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Lines that are neither empty, nor comments, nor the machine.
size_t OperationLines(const std::string& text) {
  std::istringstream in(text);
  size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    lines += !line.empty() && line[0] != '#' && !line.starts_with("machine ");
  }
  return lines;
}

TEST(SampleScriptTest, EveryOperationOccurs) {
  std::set<std::string> missing;
  for (const Operation& operation : Operations()) missing.insert(operation.form());
  for (const std::filesystem::path& path : SampleScripts()) {
    const absl::StatusOr<Script> script = ParseScript(Contents(path), path);
    ASSERT_TRUE(script.ok()) << script.status();
    for (const Op& op : script->ops) missing.erase(Operations()[op.kind.index()].form());
  }
  EXPECT_THAT(missing, testing::IsEmpty());
}

TEST(SampleScriptTest, ParsesAndPrintsBackToTheSame) {
  const std::vector<std::filesystem::path> paths = SampleScripts();
  ASSERT_GE(paths.size(), 10u);
  for (const std::filesystem::path& path : paths) {
    const std::string text = Contents(path);
    const absl::StatusOr<Script> script = ParseScript(text, path);
    ASSERT_TRUE(script.ok()) << script.status();
    EXPECT_EQ(script->ops.size(), OperationLines(text)) << path;
    ASSERT_TRUE(script->machine.has_value()) << path;
    std::string printed = ToString(*script->machine) + "\n";
    for (const Op& op : script->ops) printed += ToString(op) + "\n";
    const absl::StatusOr<Script> again = ParseScript(printed, "printed");
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(again->ops.size(), script->ops.size());
    for (size_t i = 0; i < script->ops.size(); ++i) {
      EXPECT_EQ(again->ops[i].process, script->ops[i].process);
      EXPECT_TRUE(again->ops[i].kind == script->ops[i].kind)
          << script->ops[i].text << " printed as " << again->ops[i].text;
    }
  }
}

}  // namespace
}  // namespace numasim::workloads
