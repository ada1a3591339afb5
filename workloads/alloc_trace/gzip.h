// What gzip has packed.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_GZIP_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_GZIP_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace numasim::workloads {

// Whether `bytes` begin as a file of gzip does.
bool IsGzip(std::string_view bytes);

// What is in it; several files one behind another are one. InvalidArgument: it is damaged or cut off, or
// holds more than `most` bytes. `name` is the file's, for messages.
absl::StatusOr<std::string> Gunzip(const std::string& name, std::string_view bytes, int64_t most);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_GZIP_H_
