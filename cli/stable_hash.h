// A hash that is the same in every build and on every host, for what is kept in files. (absl::Hash is not.)
#ifndef NUMASIM_CLI_STABLE_HASH_H_
#define NUMASIM_CLI_STABLE_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace numasim {

// FNV-1a of 64 bits; `hash` goes on from an earlier one.
constexpr uint64_t StableHash(absl::string_view bytes, uint64_t hash = 0xcbf29ce484222325u) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return hash;
}

}  // namespace numasim

#endif  // NUMASIM_CLI_STABLE_HASH_H_
