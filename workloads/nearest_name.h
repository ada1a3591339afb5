// The known name that a misspelt one was probably meant to be, for messages about wrong input.
#ifndef NUMASIM_WORKLOADS_NEAREST_NAME_H_
#define NUMASIM_WORKLOADS_NEAREST_NAME_H_

#include <span>
#include <string>
#include <string_view>

namespace numasim::workloads {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) to `name`; the first of
// equals. Empty if none is near: more than a third of the letters, at least one, would have to change.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates);

// "; did you mean 'touch'?", or nothing.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_NEAREST_NAME_H_
