// The program's version, as traces record it.
#ifndef NUMASIM_CLI_VERSION_H_
#define NUMASIM_CLI_VERSION_H_

namespace numasim {

inline constexpr char kVersion[] = "0.1";

}  // namespace numasim

#endif  // NUMASIM_CLI_VERSION_H_
