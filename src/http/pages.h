#pragma once
// The plain web pages: KPIs at `/`, the inbox at `/inbox`.

#include "evaluate/evaluator.h"
#include "kpid/base/time.h"
#include "net/http_message.h"
#include "notify/notifier.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::http {

/// A configuration that was not taken.
struct FailedReload {
    Timestamp time;
    std::string error;  ///< Every finding, a line each.
};

/// All KPIs with status, value, target and owner, below what is wrong with a configuration that
/// was not taken. Refreshes itself every few seconds; no script.
[[nodiscard]] net::HttpResponse kpi_page(const evaluate::Evaluator& evaluator,
                                         const std::optional<FailedReload>& failed_reload);
/// The rows of its table: one for each KPI, and below it one for each instance where it has
/// several.
[[nodiscard]] std::string kpi_rows(const std::vector<evaluate::KpiView>& kpis);
/// The newest notifications that the receiver `inbox` kept, newest first: which alerts, how severe,
/// and the body. It does not refresh itself: what is unfolded stays so.
[[nodiscard]] net::HttpResponse inbox_page(const notify::Notifier& notifier);
/// The page for these messages.
[[nodiscard]] net::HttpResponse inbox_page(const std::vector<notify::Message>& messages);
/// The text with `&<>"'` escaped for HTML.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace kpid::http
