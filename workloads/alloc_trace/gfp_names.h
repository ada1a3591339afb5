// The names that kernels print for gfp_t: those of Linux 6.1, and of older and newer ones.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_GFP_NAMES_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_GFP_NAMES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "models/base/gfp.h"

namespace numasim::workloads {

// "GFP_KERNEL" or "__GFP_ZERO": what of it the models know, which may be nothing. None: no kernel has it.
std::optional<GfpFlags> GfpNamed(std::string_view name);

// A gfp_t as a number, by the bits of Linux 6.1.
GfpFlags GfpOfBits(uint64_t bits);

// `gfp` for memory of this migratetype, whatever its own flags of mobility are. Of types that nobody can ask
// for it stays as it is.
GfpFlags GfpWithType(GfpFlags gfp, Migratetype type);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_GFP_NAMES_H_
