// Validator: checks the whole state of a Kernel, for tests. It belongs to who checks, lives on no LP,
// and reads the state of all of them, so it may be asked only while the engine is idle: between two runs,
// with no path under way.
//
// What must hold is written down here a second time, independent of the code that keeps it: every frame
// belongs to one block, lists and counters say what the frames say, and every used page has an owner who
// knows of it. The cost is that of a walk over all blocks and page table entries; a whole pageblock is one
// step.
#ifndef NUMASIM_MODELS_VALIDATOR_H_
#define NUMASIM_MODELS_VALIDATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "models/address_space/process.h"
#include "models/kernel.h"

namespace numasim {

class Validator {
 public:
  // Call it right after boot: how many pages of each zone the kernel keeps must not change from then on, and
  // what processes of before use is no simulated process's.
  explicit Validator(const Kernel& kernel);

  // What is wrong, each as a sentence that names the place, what is there and what should be; empty if
  // nothing is. After the first 50 they are only counted. `processes` are all that live.
  std::vector<std::string> Check(const std::vector<const Process*>& processes) const;

 private:
  const Kernel& kernel_;
  std::vector<int64_t> kernel_pages_;  // pages allocated to the kernel, by zone as in MemorySystem::zones()
  std::vector<int64_t> boot_users_;    // pages of anonymous memory, by node
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_VALIDATOR_H_
