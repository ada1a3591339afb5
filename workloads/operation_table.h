// The table of the script language's operations: of each its name, who performs it, its fields, and what it
// does.
#ifndef NUMASIM_WORKLOADS_OPERATION_TABLE_H_
#define NUMASIM_WORKLOADS_OPERATION_TABLE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/line_io.h"
#include "workloads/operations.h"

namespace numasim::workloads {

// What an operation is about, in the order of a reference.
enum class OperationTopic { kMachine, kProcesses, kFiles, kPins, kHugetlb, kThp, kTakingBack, kSystem };

// "HugeTLB".
std::string_view TopicTitle(OperationTopic topic);

// What a line does, in sentences for the reader of a reference. A name in it is one of the line's form.
struct LineHelp {
  OperationTopic topic;
  std::string_view summary;       // one sentence
  std::string_view details = {};  // more of them; empty: the summary says it all
  std::string_view example;       // a whole line
};

struct Operation {
  std::string_view name;
  bool of_process;                                  // written "@P NAME"
  size_t kind;                                      // the index of OpKind's alternative
  void (*read)(LineReader&, OpKind& kind);          // the fields after the name
  void (*write)(const OpKind& kind, std::string&);  // the fields after the name, each with a blank before it
  std::string (*form)();                            // the whole line, such as "@P unmap ID [OFF LEN]"
  std::vector<FieldMeaning> (*meanings)();          // of its fields
  LineHelp help;
};

// All operations, in the order of OpKind's alternatives.
std::span<const Operation> Operations();

// The operation of that name; null if there is none.
const Operation* FindOperation(std::string_view name, bool of_process);

// The machine line, which is no operation, in the same terms.
struct MachineLineHelp {
  std::string (*form)();
  std::vector<FieldMeaning> (*meanings)();
  LineHelp help;
};
const MachineLineHelp& MachineHelp();

// The machine line's fields after its first word.
void ReadMachine(LineReader& reader, MachineLine& machine);
void WriteMachine(const MachineLine& machine, std::string& out);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATION_TABLE_H_
