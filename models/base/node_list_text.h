// How the log names a set of nodes.
#ifndef NUMASIM_MODELS_BASE_NODE_LIST_TEXT_H_
#define NUMASIM_MODELS_BASE_NODE_LIST_TEXT_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "models/base/types.h"

namespace numasim {

// "0-3,5"
inline std::string NodeListText(NodeMask nodes) {
  std::string text;
  while (!nodes.empty()) {
    const NodeId first = nodes.First();
    NodeId last = first;
    for (nodes.Clear(last); nodes.First() == NodeId{last.value + 1}; nodes.Clear(last)) ++last.value;
    absl::StrAppend(&text, text.empty() ? "" : ",", first.value);
    if (last != first) absl::StrAppend(&text, "-", last.value);
  }
  return text;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_NODE_LIST_TEXT_H_
