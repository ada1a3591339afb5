// The values of operations as the models spell them.
#ifndef NUMASIM_WORKLOADS_MODEL_VALUES_H_
#define NUMASIM_WORKLOADS_MODEL_VALUES_H_

#include "models/base/huge_size.h"
#include "models/mempolicy/mempolicy.h"
#include "workloads/operations.h"

namespace numasim::workloads {

inline MemPolicy ToMemPolicy(const Policy& policy) {
  static constexpr MemPolicy::Mode kModes[] = {MemPolicy::Mode::kDefault,    MemPolicy::Mode::kBind,
                                               MemPolicy::Mode::kPreferred,  MemPolicy::Mode::kPreferredMany,
                                               MemPolicy::Mode::kInterleave, MemPolicy::Mode::kLocal};
  return {kModes[static_cast<size_t>(policy.mode)], numasim::NodeMask(policy.nodes)};
}

constexpr HugeSize ToHugeSize(HugePageSize size) {
  return size == HugePageSize::k2M ? HugeSize::k2M : HugeSize::k1G;
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MODEL_VALUES_H_
