// Who owns the frames of pipes: the kernel, apart from what it has had since boot.
#ifndef NUMASIM_MODELS_PIPES_PIPE_OWNER_H_
#define NUMASIM_MODELS_PIPES_PIPE_OWNER_H_

#include "models/physical/frame_store.h"

namespace numasim {

inline constexpr FrameOwner kPipeOwner{FrameOwner::kKernel, 1, 1, 0};

constexpr bool OfPipe(const FrameOwner& owner) {
  return owner.kind == kPipeOwner.kind && owner.object == kPipeOwner.object;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PIPES_PIPE_OWNER_H_
