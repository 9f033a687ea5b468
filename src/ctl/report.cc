// Prints errors.
#include "ctl/report.h"

#include <fmt/format.h>

#include <cstdio>

namespace kpid::ctl {

int report_error(const Error& error) {
    fmt::print(stderr, "kpictl: {}\n", error.message);
    return error.code == Code::kUnprocessable ? kExitFinding : kExitUsage;
}

}  // namespace kpid::ctl
