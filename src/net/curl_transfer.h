#pragma once
// One request as libcurl sees it: the easy handle, what it points to, and what comes back.

#include "kpid/base/result.h"
#include "net/completion.h"
#include "net/http_client.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace kpid::net {

struct CurlListDelete {
    void operator()(void* list) const;
};
struct CurlEasyDelete {
    void operator()(void* easy) const;
};

/// After it was started, owned by the client's strand but for `done`, and for `result` once that is
/// signalled. The handle points into this object, which therefore stays where it is.
struct CurlTransfer {
    HttpClientRequest request;
    std::unique_ptr<void, CurlListDelete> header_list;
    std::unique_ptr<void, CurlListDelete> connect_to;
    std::unique_ptr<void, CurlEasyDelete> easy;  ///< A CURL; before what it points to in death.
    std::array<char, 256> error_text{};          ///< CURL_ERROR_SIZE
    HttpClientResponse response;
    std::size_t header_bytes = 0;
    std::optional<Error> failure;  ///< Why one of our callbacks ended the transfer.
    bool active = false;           ///< It is in the multi handle.
    bool over = false;             ///< It was finished or taken back; never to be started.
    std::shared_ptr<Completion> done;
    Result<HttpClientResponse> result = Error{Code::kCancelled, "cancelled"};
};

/// Everything set up, secrets read. Code::kInvalidArgument when the request or its options are
/// wrong.
[[nodiscard]] Result<std::shared_ptr<CurlTransfer>> make_curl_transfer(
    HttpClientRequest request, const std::string& user_agent);

/// What became of it; `curl_code` is the CURLcode that libcurl ended it with.
[[nodiscard]] Result<HttpClientResponse> finish_curl_transfer(CurlTransfer& transfer,
                                                              int curl_code);

/// How many connections it opened.
[[nodiscard]] std::uint64_t connections_opened(const CurlTransfer& transfer);

/// libcurl's own set-up, once in a process.
[[nodiscard]] Result<void> init_curl();

}  // namespace kpid::net
