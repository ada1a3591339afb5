// The table of the script language's operations: of each its name, who performs it, and its fields.
#ifndef NUMASIM_WORKLOADS_OPERATION_TABLE_H_
#define NUMASIM_WORKLOADS_OPERATION_TABLE_H_

#include <span>
#include <string>
#include <string_view>

#include "workloads/line_io.h"
#include "workloads/operations.h"

namespace numasim::workloads {

struct Operation {
  std::string_view name;
  bool of_process;                                  // written "@P NAME"
  size_t kind;                                      // the index of OpKind's alternative
  void (*read)(LineReader&, OpKind& kind);          // the fields after the name
  void (*write)(const OpKind& kind, std::string&);  // the fields after the name, each with a blank before it
  std::string (*form)();                            // the whole line, such as "'@P unmap ID [OFF LEN]'"
};

// All operations, in the order of OpKind's alternatives.
std::span<const Operation> Operations();

// The operation of that name; null if there is none.
const Operation* FindOperation(std::string_view name, bool of_process);

// The machine line's fields after its first word.
void ReadMachine(LineReader& reader, MachineLine& machine);
void WriteMachine(const MachineLine& machine, std::string& out);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATION_TABLE_H_
