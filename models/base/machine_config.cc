#include "models/base/machine_config.h"

#include "proto/scenario.pb.h"

namespace numasim {

MachineConfig::MachineConfig() = default;
MachineConfig::MachineConfig(const MachineConfig&) = default;
MachineConfig::MachineConfig(MachineConfig&&) noexcept = default;
MachineConfig& MachineConfig::operator=(const MachineConfig&) = default;
MachineConfig& MachineConfig::operator=(MachineConfig&&) noexcept = default;
MachineConfig::~MachineConfig() = default;

}  // namespace numasim
