// Reading and writing a descriptor to the end, whatever pieces the host makes of it.
#ifndef NUMASIM_FILES_DESCRIPTOR_IO_H_
#define NUMASIM_FILES_DESCRIPTOR_IO_H_

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"

namespace numasim {

// Both return 0, or the errno of what went wrong.

// Writes all of it, where the descriptor stands.
int WriteAll(int descriptor, absl::string_view bytes);

// Appends what a file has from `offset` on, wherever the descriptor stands. What was read before an error
// stays.
int ReadToEnd(int descriptor, off_t offset, std::string* bytes);

}  // namespace numasim

#endif  // NUMASIM_FILES_DESCRIPTOR_IO_H_
