// `numasim help operations` and `numasim help fields`: complete, true, and the same as in docs/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/help/field_reference.h"
#include "cli/help/operation_reference.h"
#include "google/protobuf/descriptor.h"
#include "proto/annotations.pb.h"
#include "proto/scenario.pb.h"
#include "proto/study.pb.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ReferenceTest : public ProgramTest {
 protected:
  static std::string Shown(const std::vector<std::string>& arguments) {
    const Outcome outcome = Numasim(arguments);
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }
};

TEST_F(ReferenceTest, DocumentsAreWhatTheProgramPrints) {
  for (const std::string name : {"operations", "fields"}) {
    EXPECT_EQ(FileText(Runfile(absl::StrCat("docs/", name, ".md"))),
              Shown({"help", name, "--format", "markdown"}))
        << "write it anew: ./numasim help " << name << " --format markdown >docs/" << name << ".md";
  }
}

TEST_F(ReferenceTest, EachOperationIsShownByItsName) {
  const std::string all = Shown({"help", "operations"});
  for (const OperationEntry& entry : AllOperations()) {
    const std::string shown = Shown({"help", "operations", std::string(entry.name)});
    EXPECT_THAT(shown, HasSubstr("Example: " + std::string(entry.help.example) + "\n"));
    EXPECT_THAT(all, HasSubstr(entry.form.substr(0, entry.form.find(' '))));
  }
}

TEST_F(ReferenceTest, OneNameShowsTheOperationsOfProcessAndSystem) {
  const std::string pools = Shown({"help", "operations", "pool"});
  EXPECT_THAT(pools, HasSubstr("pool 2M|1G nodeN|all COUNT\n"));
  EXPECT_THAT(pools, HasSubstr("@P pool 2M|1G mempolicy|all COUNT\n"));
  EXPECT_THAT(pools, Not(HasSubstr("touch")));
}

// What the examples need: pools, a device, an area, memory, files and what they undo.
constexpr char kScenario[] = R"(
machine { node { memory: '8G' cpus: 2 } node { memory: '16G' cpus: 2 }
  virtio_mem { node: 1 max: '1G' plugged: '1G' } disk: '1G' }
kernel { cma { area { name: 'camera' size: '64M' } } }
workload { script {
  line: 'pool 2M all 256' line: 'pool 1G node0 1' line: 'mount_hugetlbfs /guests pagesize=2M'
  line: 'cma_alloc camera frames 16M' line: 'spawn db' line: '@db map heap 64M anon thp=nohugepage' line: '@db map shm 128M shmem'
  line: '@db map cached 2M shmem file=cache' line: '@db map guest 2M hugetlb-2M file=guest1' line: '@db touch heap'
  line: '@db map huge 4M anon' line: '@db touch huge' line: '@db map data 512M file file=data'
  line: '%s'
} }
)";

// The scenario with an example as its last line. What the example does itself is not done before; pinned
// pages could not be moved.
std::string With(std::string example) {
  std::string text = kScenario;
  if (example.starts_with("@db unpin")) example = "@db pin heap' line: '" + example;
  if (example.starts_with("@db drain_pipes")) example = "@db pipes log 4M' line: '" + example;
  if (example.starts_with("mount_hugetlbfs")) {
    const std::string mount = "line: 'mount_hugetlbfs /guests pagesize=2M'";
    text.erase(text.find(mount), mount.size());
  }
  return text.replace(text.find("%s"), 2, example);
}

TEST_F(ReferenceTest, EachExampleRunsAndNothingFails) {
  for (const OperationEntry& entry : AllOperations()) {
    if (entry.name == "machine") continue;
    Write("s.textproto", With(std::string(entry.help.example)));
    const Outcome run = Numasim({"run", "s.textproto"});
    EXPECT_EQ(run.exit_status, 0) << entry.help.example << "\n" << run.err;
    EXPECT_THAT(run.out, HasSubstr("nothing failed")) << entry.help.example;
  }
}

TEST_F(ReferenceTest, MisspeltOperationsAndFieldsAreToldWhatThereIs) {
  EXPECT_THAT(
      Refused({"help", "operations", "tuch"}),
      AllOf(StartsWith("numasim help operations: NAME: 'tuch' is not known; expected one of advise, "),
            HasSubstr("did you mean 'touch'?")));
  EXPECT_THAT(
      Refused({"help", "fields", "kernel.tph.enabled"}),
      AllOf(StartsWith(
                "numasim help fields: PATH: kernel.tph: is not a field of KernelKnobs; expected one of "),
            HasSubstr("did you mean 'thp'?")));
  EXPECT_THAT(Refused({"help", "fields", "watermark_scale_factor"}),
              HasSubstr("there is kernel.watermark_scale_factor"));
  EXPECT_THAT(Refused({"help", "fields", "seed.x"}),
              HasSubstr("PATH: seed: is a value and has no fields; expected no more behind it"));
  EXPECT_THAT(Refused({"help", "fields", "kernel..thp"}), HasSubstr("PATH: kernel.: is not a field"));
  EXPECT_THAT(Refused({"help", "fields", ""}),
              HasSubstr("PATH: is empty; expected a path such as kernel.thp"));
  EXPECT_THAT(Refused({"help", "operations", ""}),
              HasSubstr("NAME: '' is not known; expected one of advise, "));
  EXPECT_THAT(Refused({"help", "run", "fields"}), HasSubstr("numasim help"));
  EXPECT_THAT(
      Refused({"help", "operations", "--format", "yaml"}),
      AllOf(StartsWith("numasim help operations: "), HasSubstr("see numasim help operations --help")));
}

TEST_F(ReferenceTest, APathShowsWhatIsBelowItAlone) {
  const std::string thp = Shown({"help", "fields", "kernel.thp"});
  EXPECT_THAT(thp, StartsWith("kernel.thp (Thp)\n"));
  EXPECT_THAT(thp, HasSubstr("kernel.thp.enabled: one of always, madvise, never; default always\n"));
  EXPECT_THAT(thp, Not(HasSubstr("kernel.hugetlb")));
  const std::string enabled = Shown({"help", "fields", "kernel.thp.enabled"});
  EXPECT_THAT(enabled, StartsWith("  kernel.thp.enabled: "));
  EXPECT_THAT(enabled, Not(HasSubstr("defrag")));
}

TEST_F(ReferenceTest, BracketsOfAPathArePassedOver) {
  EXPECT_EQ(Shown({"help", "fields", "workload.script[guests].copies"}),
            Shown({"help", "fields", "workload.script.copies"}));
}

TEST_F(ReferenceTest, ATypeOfSeveralFieldsIsShownWhereItIsAskedFor) {
  EXPECT_THAT(Shown({"help", "fields", "workload.guests.lifetime"}),
              HasSubstr("workload.guests.lifetime.lognormal.sigma: a number from 0 to 100"));
  EXPECT_THAT(Shown({"help", "fields", "workload.guests"}), Not(HasSubstr("lognormal.sigma")));
  EXPECT_THAT(Shown({"help", "fields", "machine.kernel.thp"}), HasSubstr("machine.kernel.thp.enabled: "));
}

// Calls `check` for each field of the type and of the types below, with its path. A type within itself has
// none.
template <class Check>
void ForEachField(const Descriptor& type, const std::string& before, const Check& check) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = before + field.name();
    check(field, path);
    if (field.message_type() != nullptr) ForEachField(*field.message_type(), path + ".", check);
  }
}

template <class Check>
void ForEachField(const Check& check) {
  ForEachField(*Scenario::descriptor(), "", check);
  ForEachField(*Study::descriptor(), "study.", check);
}

TEST_F(ReferenceTest, EachFieldIsFoundAndExplained) {
  int fields = 0;
  ForEachField([&fields](const FieldDescriptor& field, const std::string& path) {
    const auto sections = FieldsAt(path);
    ASSERT_TRUE(sections.ok()) << sections.status();
    ++fields;
    if (field.message_type() != nullptr) return;
    ASSERT_EQ(sections->size(), 1u);
    const FieldEntry& entry = sections->front().fields.front();
    EXPECT_EQ(entry.path, path);
    EXPECT_NE(entry.description + entry.source, "") << path << " has no comment";
  });
  EXPECT_GT(fields, 300);
}

TEST_F(ReferenceTest, EachMessageIsExplainedByItsFieldOrItsType) {
  const auto sections = FieldsAt("");
  ASSERT_TRUE(sections.ok());
  for (const FieldSection& section : *sections) {
    for (const FieldEntry& entry : section.fields)
      EXPECT_NE(entry.description + entry.source, "") << entry.path;
  }
}

TEST_F(ReferenceTest, FieldsShowTheirKnobs) {
  ForEachField([](const FieldDescriptor& field, const std::string& path) {
    const Knob& about = field.options().GetExtension(knob);
    const auto sections = FieldsAt(path);
    if (field.message_type() != nullptr || !sections.ok()) return;
    const FieldEntry& entry = sections->front().fields.front();
    for (const std::string& word : about.allowed()) EXPECT_THAT(entry.takes, HasSubstr(word)) << path;
    if (about.has_max()) {
      EXPECT_THAT(entry.takes, HasSubstr(absl::StrCat(about.max()))) << path;
    }
    if (about.has_min()) {
      EXPECT_THAT(entry.takes, HasSubstr(absl::StrCat(about.min()))) << path;
    }
    EXPECT_EQ(entry.kernel_name, about.kernel_name());
    EXPECT_EQ(entry.default_to.empty(), !field.has_default_value()) << path;
  });
}

}  // namespace
}  // namespace numasim
