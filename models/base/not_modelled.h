// NotModelled: what a path met that the models cannot do yet. It ends the run.
#ifndef NUMASIM_MODELS_BASE_NOT_MODELLED_H_
#define NUMASIM_MODELS_BASE_NOT_MODELLED_H_

#include <stdexcept>
#include <string>

namespace numasim {

class NotModelled : public std::runtime_error {
 public:
  explicit NotModelled(const std::string& what) : std::runtime_error(what) {}
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_NOT_MODELLED_H_
