#pragma once
// The outbox over HTTP: /api/v1/notifications.

#include "net/http_message.h"
#include "notify/notifier.h"

#include <string>

namespace kpid::http {

/// `notifications?receiver=&state=&limit=`: in order of id; `limit` keeps the pending ones first,
/// then the newest. Each names its alerts; it carries `body` too where the receiver is the inbox.
[[nodiscard]] Result<net::HttpResponse> notifications_response(const notify::Notifier& notifier,
                                                               const net::HttpParams& params);
/// `POST notifications/<id>/retry|drop`.
[[nodiscard]] Result<net::HttpResponse> notification_action(notify::Notifier& notifier,
                                                            const std::string& id,
                                                            std::string_view action);

}  // namespace kpid::http
