// Counts of what a run names only if it has come about: events, and failures of an operation by reason.
#ifndef NUMASIM_CLI_TEXT_ABSENT_COUNT_H_
#define NUMASIM_CLI_TEXT_ABSENT_COUNT_H_

#include <optional>
#include <string>
#include <vector>

namespace numasim {

// If `metric` is the name of such a count, it is 0 of a run that does not name it but names the metric that
// is returned; of any run if that is empty. Nothing if it is another metric, or of an event or a reason that
// does not exist.
std::optional<std::string> ZeroBeside(const std::string& metric);

// Every kind of event, and every reason for which an operation can fail, as traces name them.
std::vector<std::string> EventKinds();
std::vector<std::string> FailureReasons();

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_ABSENT_COUNT_H_
