#include "proto/counter_info.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "google/protobuf/descriptor.h"
#include "proto/annotations.pb.h"
#include "proto/counters.pb.h"

namespace numasim {
namespace {

CounterName FromDescriptor(const google::protobuf::EnumValueDescriptor& value) {
  const CounterInfo& info = value.options().GetExtension(counter);
  const bool in_kernel = !info.kernel_name().empty();
  CounterName name = {in_kernel ? info.kernel_name() : absl::AsciiStrToLower(value.name()), info.unit(),
                      info.gauge(), in_kernel, std::nullopt};
  if (info.has_more_is_worse()) name.more_is_worse = info.more_is_worse();
  return name;
}

}  // namespace

CounterName NameOf(NodeCounter counter) {
  return FromDescriptor(*counters::NodeCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(ZoneCounter counter) {
  return FromDescriptor(*counters::ZoneCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(HugetlbCounter counter) {
  return FromDescriptor(*counters::HugetlbCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(GlobalCounter counter) {
  return FromDescriptor(*counters::GlobalCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(CmaCounter counter) {
  return FromDescriptor(*counters::CmaCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(VirtioMemCounter counter) {
  return FromDescriptor(*counters::VirtioMemCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(HotplugCounter counter) {
  return FromDescriptor(*counters::HotplugCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(ThpCounter counter) {
  return FromDescriptor(*counters::ThpCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(GuestCounter counter) {
  return FromDescriptor(*counters::GuestCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(BatchCounter counter) {
  return FromDescriptor(*counters::BatchCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(AllocationsCounter counter) {
  return FromDescriptor(*counters::AllocationsCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(ReadersCounter counter) {
  return FromDescriptor(*counters::ReadersCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(SlabCounter counter) {
  return FromDescriptor(*counters::SlabCounter_descriptor()->FindValueByNumber(counter));
}

CounterName NameOf(ChurnCounter counter) {
  return FromDescriptor(*counters::ChurnCounter_descriptor()->FindValueByNumber(counter));
}

}  // namespace numasim
