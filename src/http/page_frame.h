#pragma once
// What all pages share: head, style, navigation.

#include "net/http_message.h"

#include <optional>
#include <string>
#include <string_view>

namespace kpid::http {

/// A whole page around `body`, refreshed every `refresh_seconds` where that is given.
[[nodiscard]] net::HttpResponse page(std::string_view title, std::string_view body,
                                     std::optional<int> refresh_seconds);

}  // namespace kpid::http
