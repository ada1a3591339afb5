// Obstacles: what kept memory that was to be taken away where it was, and how much of it.
#ifndef NUMASIM_MODELS_HOTPLUG_OBSTACLES_H_
#define NUMASIM_MODELS_HOTPLUG_OBSTACLES_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "models/base/errno.h"
#include "models/base/failure.h"

namespace numasim {

// Whose the frame in the way was, and the error where it tells more: there was no memory to move the frame's
// contents to, or it is not known whose the frame was, or none was in the way.
struct Obstacle {
  FrameUser user = {};
  Errno error = Errno::kOk;  // kOk: that the frame is `user`'s says it all

  static Obstacle Of(FrameUser user, Errno error) {
    const bool known = user.kind != FrameUser::Kind::kUnknown;
    return {user, known && error != Errno::kNoMem ? Errno::kOk : error};
  }
  // "anon,pinned", "hugetlb-2M ENOMEM", "EINVAL"
  std::string Text() const {
    if (error == Errno::kOk) return user.Text();
    const bool known = user.kind != FrameUser::Kind::kUnknown;
    return (known ? user.Text() + " " : "") + ErrnoName(error);
  }
  friend auto operator<=>(const Obstacle&, const Obstacle&) = default;
};

// How much of the memory each kept; in the unit of who counts.
using Obstacles = std::map<Obstacle, int64_t>;

}  // namespace numasim

#endif  // NUMASIM_MODELS_HOTPLUG_OBSTACLES_H_
