// Sizes for people.
#ifndef NUMASIM_CLI_TEXT_SIZE_TEXT_H_
#define NUMASIM_CLI_TEXT_SIZE_TEXT_H_

#include <cstdint>
#include <string>

namespace numasim {

// "64.0 GiB", "512.0 KiB", "0 B".
std::string SizeForPeople(int64_t bytes);

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_SIZE_TEXT_H_
