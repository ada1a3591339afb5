#include "workloads/knob_text.h"

#include "workloads/text.h"

namespace numasim::workloads {

std::string RangeText(const Knob& knob) {
  std::string text;
  if (knob.has_min() && knob.has_max()) {
    text = Cat("from ", knob.min(), " to ", knob.max());
  } else if (knob.has_min()) {
    text = Cat("at least ", knob.min());
  } else if (knob.has_max()) {
    text = Cat("at most ", knob.max());
  }
  if (!knob.unit().empty()) Append(text, text.empty() ? "(" : " (", knob.unit(), ")");
  return text;
}

}  // namespace numasim::workloads
