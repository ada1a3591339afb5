// Who owns the frames of pipes: the kernel, apart from what it has had since boot.
#ifndef NUMASIM_MODELS_PIPES_PIPE_OWNER_H_
#define NUMASIM_MODELS_PIPES_PIPE_OWNER_H_

#include "models/physical/frame_store.h"
#include "models/physical/kernel_pages.h"

namespace numasim {

inline constexpr FrameOwner kPipeOwner{FrameOwner::kKernel, 1, kInPipes, 0};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PIPES_PIPE_OWNER_H_
