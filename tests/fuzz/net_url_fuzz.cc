// Targets, forms, escapes and addresses from bytes that anyone may send.

#include "kpid/base/assert.h"
#include "net/address.h"
#include "net/http_message.h"
#include "net/url.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // Whatever is encoded decodes to itself.
    const Result<std::string> back = net::url_decode(net::url_encode(text));
    KPID_ASSERT(back.has_value() && *back == text);
    if (const Result<net::HttpParams> form = net::parse_form(text)) {
        const Result<net::HttpParams> again = net::parse_form(net::encode_form(*form));
        KPID_ASSERT(again.has_value() && *again == *form);
    }
    if (const Result<net::RequestTarget> target = net::parse_target(text)) {
        KPID_ASSERT(!target->path_raw.empty());
        const Result<std::string> path = net::url_decode(target->path_raw);
        KPID_ASSERT(path.has_value() && *path == target->path);
    }
    if (const Result<net::Address> address = net::parse_address(text)) {
        const Result<net::Address> again = net::parse_address(net::to_string(*address));
        KPID_ASSERT(again.has_value() && *again == *address);
    }
    net::HttpHeaders headers;
    headers.add("Accept-Encoding", text);
    static_cast<void>(headers.has_token("accept-encoding", "gzip"));
    static_cast<void>(net::media_type_of(text));
    return 0;
}
