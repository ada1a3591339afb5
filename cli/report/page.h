// The page that shows a report, but for its data: cli/report/page/ put together by page/embed.py.
#ifndef NUMASIM_CLI_REPORT_PAGE_H_
#define NUMASIM_CLI_REPORT_PAGE_H_

#include "absl/strings/string_view.h"

namespace numasim {

// What stands before the data (cli/report/page_data.h), and behind it.
absl::string_view PageBeforeData();
absl::string_view PageAfterData();

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_PAGE_H_
