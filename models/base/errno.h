// The errors that simulated system calls return.
#ifndef NUMASIM_MODELS_BASE_ERRNO_H_
#define NUMASIM_MODELS_BASE_ERRNO_H_

#include <cstdint>

namespace numasim {

enum class Errno : uint8_t {
  kOk,
  kNoEnt,
  kAgain,
  kNoMem,
  kFault,
  kBusy,
  kInval,
  kSrch,
  kNoSpc,
  kAcces,
  kIntr,
  kNoDev,
  kKilled,  // not of the call: the process was killed while it made it
  kLast = kKilled
};

// "0" or the errno's name, as recordings spell it.
constexpr const char* ErrnoName(Errno e) {
  switch (e) {
    case Errno::kOk:
      return "0";
    case Errno::kNoEnt:
      return "ENOENT";
    case Errno::kAgain:
      return "EAGAIN";
    case Errno::kNoMem:
      return "ENOMEM";
    case Errno::kFault:
      return "EFAULT";
    case Errno::kBusy:
      return "EBUSY";
    case Errno::kInval:
      return "EINVAL";
    case Errno::kSrch:
      return "ESRCH";
    case Errno::kNoSpc:
      return "ENOSPC";
    case Errno::kAcces:
      return "EACCES";
    case Errno::kIntr:
      return "EINTR";
    case Errno::kNoDev:
      return "ENODEV";
    case Errno::kKilled:
      return "KILLED";
  }
  return "?";
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_ERRNO_H_
