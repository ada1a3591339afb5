// The pages that show reports, but for their data: cli/report/page/ put together by page/embed.py.
#ifndef NUMASIM_CLI_REPORT_PAGE_H_
#define NUMASIM_CLI_REPORT_PAGE_H_

#include "absl/strings/string_view.h"

namespace numasim {

// What stands before the data, and behind it.
struct Page {
  absl::string_view before_data;
  absl::string_view after_data;
};

// The data is that of cli/report/page_data.h.
Page TracePage();
// The data is that of cli/report/sweep_page_data.h.
Page SweepPage();

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_PAGE_H_
