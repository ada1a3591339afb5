// Names and units of counters, read from the options in proto/counters.proto.
#ifndef NUMASIM_PROTO_COUNTER_INFO_H_
#define NUMASIM_PROTO_COUNTER_INFO_H_

#include <optional>
#include <string>

#include "proto/counters.h"

namespace numasim {

struct CounterName {
  std::string name;  // the kernel's where it has one, else the enum's in lower case
  std::string unit;
  bool gauge = false;
  bool in_kernel = false;             // the kernel shows a counter of this name
  std::optional<bool> more_is_worse;  // false: less is; none: neither
};

CounterName NameOf(NodeCounter counter);
CounterName NameOf(ZoneCounter counter);
CounterName NameOf(HugetlbCounter counter);
CounterName NameOf(GlobalCounter counter);
CounterName NameOf(CmaCounter counter);
CounterName NameOf(VirtioMemCounter counter);
CounterName NameOf(HotplugCounter counter);
CounterName NameOf(ThpCounter counter);
CounterName NameOf(GuestCounter counter);
CounterName NameOf(BatchCounter counter);
CounterName NameOf(AllocationsCounter counter);
CounterName NameOf(ChurnCounter counter);
CounterName NameOf(ReadersCounter counter);
CounterName NameOf(SlabCounter counter);

}  // namespace numasim

#endif  // NUMASIM_PROTO_COUNTER_INFO_H_
