#pragma once
// The plain web pages: KPIs at `/`, the inbox at `/inbox`.

#include "evaluate/evaluator.h"
#include "net/http_message.h"
#include "notify/notifier.h"

#include <string>

namespace kpid::http {

/// All KPIs with status, value, target and owner. Refreshes itself every few seconds; no script.
[[nodiscard]] net::HttpResponse kpi_page(const evaluate::Evaluator& evaluator);
/// The newest notifications that the receiver `inbox` kept, newest first.
[[nodiscard]] net::HttpResponse inbox_page(const notify::Notifier& notifier);
/// The text with `&<>"'` escaped for HTML.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace kpid::http
