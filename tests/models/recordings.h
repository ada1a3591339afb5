// The recorded boot states of real kernels in tests/kernel_truth, for tests of the models.
#ifndef NUMASIM_TESTS_MODELS_RECORDINGS_H_
#define NUMASIM_TESTS_MODELS_RECORDINGS_H_

#include <string>
#include <vector>

#include "models/base/machine_config.h"

namespace numasim {

// All of them, by name: "numa_interleave".
std::vector<std::string> RecordingNames();

// The machine and the state in which it was found.
MachineConfig RecordedMachine(const std::string& name);

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_RECORDINGS_H_
