// The traces of a report as the JSON that its page reads (page/data.js).
#ifndef NUMASIM_CLI_REPORT_PAGE_DATA_H_
#define NUMASIM_CLI_REPORT_PAGE_DATA_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/report/report_trace.h"

namespace numasim {

// One JSON object, safe to stand between <script> tags: it holds no "<". Counters are thinned until it has no
// more than `most_bytes`, or cannot be thinned any more.
std::string PageData(const std::vector<std::unique_ptr<ReportTrace>>& traces, size_t most_bytes);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_PAGE_DATA_H_
