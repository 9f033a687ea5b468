#pragma once
// Signs webhooks after the Standard Webhooks specification 1.0.0.

#include "kpid/base/result.h"
#include "kpid/base/time.h"

#include <string>
#include <string_view>

namespace kpid::notify {

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`,
/// the timestamp in whole seconds. `secret` is base64 of 24 to 64 bytes, with or without the prefix
/// `whsec_`; white space around it is ignored. kInvalidArgument for any other secret; the message
/// never shows it.
[[nodiscard]] Result<std::string> sign_webhook(std::string_view secret, std::string_view id,
                                               Timestamp timestamp, std::string_view body);

}  // namespace kpid::notify
