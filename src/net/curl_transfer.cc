// From a request to libcurl's options, and from its outcome to a response.

#include "net/curl_transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

namespace kpid::net {
namespace {

constexpr long kRedirectsMax = 10;
constexpr std::size_t kHeaderBytesMax = 256U << 10U;
constexpr std::size_t kSecretBytesMax = 64U << 10U;

// Sets options one after the other and remembers the first that failed.
class Setter {
public:
    explicit Setter(CURL* easy) : easy_(easy) {}
    template <class T>
    void set(CURLoption option, T value) {
        if (const CURLcode code = curl_easy_setopt(easy_, option, value);
            code != CURLE_OK && status_ == CURLE_OK) {
            status_ = code;
        }
    }
    void set_text(CURLoption option, const std::string& value) { set(option, value.c_str()); }
    [[nodiscard]] CURLcode status() const { return status_; }

private:
    CURL* easy_;
    CURLcode status_ = CURLE_OK;
};

// libcurl hands `size * count` bytes and takes any other answer than that number for a failure.
std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto* transfer = static_cast<CurlTransfer*>(user);
    std::string& body = transfer->response.body;
    const std::size_t more = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (transfer->request.on_body && status >= 200 && status < 300) {
        const Result<void> taken = transfer->request.on_body({bytes, more});
        if (!taken) {
            transfer->failure = taken.error();
            return 0;
        }
        return more;
    }
    if (more > transfer->request.response_bytes_max - body.size()) {
        transfer->failure = resource_exhausted(fmt::format("the response is larger than {} bytes",
                                                           transfer->request.response_bytes_max));
        return 0;
    }
    body.append(bytes, more);
    return more;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto* transfer = static_cast<CurlTransfer*>(user);
    const std::size_t more = size * count;
    transfer->header_bytes += more;
    if (transfer->header_bytes > kHeaderBytesMax) {
        transfer->failure = resource_exhausted(
            fmt::format("the response headers are larger than {} bytes", kHeaderBytesMax));
        return 0;
    }
    std::string_view line(bytes, more);
    line = line.substr(0, line.find_last_not_of("\r\n \t") + 1);
    if (line.starts_with("HTTP/")) {  // another response: after 100, a redirect, a proxy's CONNECT
        transfer->response.headers = {};
        return more;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        const std::string_view value = line.substr(colon + 1);
        transfer->response.headers.add(
            line.substr(0, colon),
            value.substr(std::min(value.size(), value.find_first_not_of(" \t"))));
    }
    return more;
}

// The plain secret, or the file's text without the line's end.
Result<std::string> read_secret(const std::string& plain, const std::string& file,
                                std::string_view what) {
    if (file.empty()) {
        return plain;
    }
    std::ifstream in(file, std::ios::binary);
    std::string text(kSecretBytesMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    const auto size = static_cast<std::size_t>(in.gcount());
    if (!in.is_open() || in.bad() || size > kSecretBytesMax) {
        return invalid_argument(fmt::format("cannot read {} \"{}\"", what, file));
    }
    text.resize(size);
    text.resize(text.find_last_not_of("\r\n \t") + 1);
    return text;
}

bool has_line_break(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// Collects the lines of a curl_slist.
class HeaderList {
public:
    Result<void> add(std::string_view name, std::string_view value) {
        if (name.empty() || has_line_break(name) || has_line_break(value) ||
            name.find(':') != std::string_view::npos) {
            return invalid_argument(fmt::format("header \"{}\" has a bad name or value", name));
        }
        // libcurl sends an empty header only when it is written with ';'.
        return add_line(value.empty() ? fmt::format("{};", name)
                                      : fmt::format("{}: {}", name, value));
    }
    Result<void> add_line(const std::string& line) {
        curl_slist* longer = curl_slist_append(static_cast<curl_slist*>(list_.get()), line.c_str());
        if (longer == nullptr) {
            return internal_error("out of memory");
        }
        static_cast<void>(list_.release());
        list_.reset(longer);
        return {};
    }
    [[nodiscard]] std::unique_ptr<void, CurlListDelete> take() { return std::move(list_); }

private:
    std::unique_ptr<void, CurlListDelete> list_;
};

void set_method(Setter& setter, const HttpClientRequest& request) {
    if (request.method == "GET" && request.body.empty()) {
        setter.set(CURLOPT_HTTPGET, 1L);
        return;
    }
    if (request.method == "HEAD") {
        setter.set(CURLOPT_NOBODY, 1L);
        return;
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        setter.set(CURLOPT_POST, 1L);
        setter.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        setter.set(CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.method != "POST") {
        setter.set_text(CURLOPT_CUSTOMREQUEST, request.method);
    }
}

Result<void> set_headers(Setter& setter, CurlTransfer& transfer) {
    const HttpClientRequest& request = transfer.request;
    HeaderList list;
    for (const auto& [name, value] : request.headers) {
        if (equals_ignoring_case(name, header::kAcceptEncoding)) {
            setter.set_text(CURLOPT_ACCEPT_ENCODING, value);
        } else {
            KPID_CHECK_OK(list.add(name, value));
        }
    }
    for (const auto& [name, value] : request.options.headers) {
        if (!request.headers.has(name)) {
            KPID_CHECK_OK(list.add(name, value));
        }
    }
    if (!request.body.empty() && !request.headers.has(header::kContentType)) {
        KPID_CHECK_OK(list.add_line("Content-Type:"));  // not libcurl's guess, a form
    }
    KPID_CHECK_OK(list.add_line("Expect:"));  // no round trip before the body
    if (const auto& authorization = request.options.authorization) {
        KPID_TRY(const std::string credentials,
                 read_secret(authorization->credentials, authorization->credentials_file,
                             "credentials_file"));
        const std::string value = fmt::format("{} {}", authorization->type, credentials);
        if (has_line_break(value)) {
            return invalid_argument("authorization: the credentials hold a line break");
        }
        KPID_CHECK_OK(list.add(header::kAuthorization, value));
    }
    transfer.header_list = list.take();
    setter.set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(transfer.header_list.get()));
    return {};
}

Result<void> set_basic_auth(Setter& setter, const HttpClientRequest& request) {
    if (const auto& basic = request.options.basic_auth) {
        KPID_TRY(const std::string username,
                 read_secret(basic->username, basic->username_file, "username_file"));
        KPID_TRY(const std::string password,
                 read_secret(basic->password, basic->password_file, "password_file"));
        setter.set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        setter.set_text(CURLOPT_USERNAME, username);
        setter.set_text(CURLOPT_PASSWORD, password);
    }
    return {};
}

struct UrlDelete {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlPtr = std::unique_ptr<CURLU, UrlDelete>;

Result<std::string> url_part(CURLU* url, CURLUPart part, unsigned flags) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
        return invalid_argument("the URL is not valid");
    }
    std::string copy(text);
    curl_free(text);
    return copy;
}

// tls.server_name: the URL gets that name, for SNI and the certificate check, while the connection
// and the Host header keep the real one.
Result<void> set_server_name(Setter& setter, CurlTransfer& transfer, CURLU* url, HeaderList& list) {
    const std::string& server_name = transfer.request.options.tls.server_name;
    KPID_TRY(const std::string host, url_part(url, CURLUPART_HOST, 0));
    KPID_TRY(const std::string port, url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT));
    KPID_CHECK_OK(list.add_line(fmt::format("{}:{}:{}:{}", server_name, port, host, port)));
    transfer.connect_to = list.take();
    if (curl_url_set(url, CURLUPART_HOST, server_name.c_str(), 0) != CURLUE_OK) {
        return invalid_argument("tls: server_name is not valid");
    }
    if (!transfer.request.headers.has(header::kHost)) {
        transfer.request.headers.add(header::kHost,
                                     port == "443" ? host : fmt::format("{}:{}", host, port));
    }
    setter.set(CURLOPT_CONNECT_TO, static_cast<curl_slist*>(transfer.connect_to.get()));
    return {};
}

Result<void> set_url(Setter& setter, CurlTransfer& transfer) {
    const UrlPtr url(curl_url());
    const std::string& text = transfer.request.url;
    if (has_line_break(text) || curl_url_set(url.get(), CURLUPART_URL, text.c_str(),
                                             CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        return invalid_argument("the URL is not valid");
    }
    KPID_TRY(const std::string scheme, url_part(url.get(), CURLUPART_SCHEME, 0));
    if (scheme != "http" && scheme != "https") {
        return invalid_argument(fmt::format("URL scheme \"{}\": want http or https", scheme));
    }
    if (scheme == "https" && !transfer.request.options.tls.server_name.empty()) {
        HeaderList list;
        KPID_CHECK_OK(set_server_name(setter, transfer, url.get(), list));
    }
    KPID_TRY(const std::string whole, url_part(url.get(), CURLUPART_URL, 0));
    setter.set_text(CURLOPT_URL, whole);
    return {};
}

void set_tls(Setter& setter, const HttpClientOptions::Tls& tls) {
    if (!tls.ca_file.empty()) {
        setter.set_text(CURLOPT_CAINFO, tls.ca_file);
    }
    if (!tls.cert_file.empty()) {
        setter.set_text(CURLOPT_SSLCERT, tls.cert_file);
    }
    if (!tls.key_file.empty()) {
        setter.set_text(CURLOPT_SSLKEY, tls.key_file);
    }
    setter.set(CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
    setter.set(CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
}

void set_connection(Setter& setter, const HttpClientRequest& request) {
    const HttpClientOptions& options = request.options;
    setter.set(CURLOPT_NOSIGNAL, 1L);
    setter.set(CURLOPT_TCP_NODELAY, 1L);
    setter.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    setter.set(CURLOPT_CONNECTTIMEOUT_MS,
               static_cast<long>(std::min(request.timeout, request.connect_timeout).count()));
    setter.set(CURLOPT_HTTP_VERSION,
               options.enable_http2 ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_1_1});
    setter.set(CURLOPT_PROTOCOLS_STR, "http,https");
    setter.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    setter.set(CURLOPT_FOLLOWLOCATION, options.follow_redirects ? 1L : 0L);
    setter.set(CURLOPT_MAXREDIRS, kRedirectsMax);
    // Only what the options say: no proxy, and no exception from one, out of the environment.
    setter.set_text(CURLOPT_PROXY, options.proxy_url);
    setter.set(CURLOPT_NOPROXY, "");
}

Error to_error(const CurlTransfer& transfer, CURLcode code) {
    const std::string text =
        transfer.error_text[0] != '\0' ? transfer.error_text.data() : curl_easy_strerror(code);
    // The request's own URL was checked before: what is wrong with one now came from the peer.
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return {Code::kDeadlineExceeded, text};
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return invalid_argument(text);
        case CURLE_OUT_OF_MEMORY:
        case CURLE_FAILED_INIT:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_UNKNOWN_OPTION:
            return internal_error(text);
        default:
            return unavailable(text);
    }
}

}  // namespace

void CurlListDelete::operator()(void* list) const {
    curl_slist_free_all(static_cast<curl_slist*>(list));
}

void CurlEasyDelete::operator()(void* easy) const {
    curl_easy_cleanup(easy);
}

Result<void> init_curl() {
    static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (kInitialised != CURLE_OK) {
        return internal_error(curl_easy_strerror(kInitialised));
    }
    return {};
}

Result<std::shared_ptr<CurlTransfer>> make_curl_transfer(HttpClientRequest request,
                                                         const std::string& user_agent) {
    if (request.timeout <= Duration(0) || request.connect_timeout <= Duration(0)) {
        return invalid_argument("the timeout must be more than 0");
    }
    if (request.method.empty() || has_line_break(request.method) ||
        request.method.find(' ') != std::string::npos) {
        return invalid_argument("the method is not valid");
    }
    auto transfer = std::make_shared<CurlTransfer>();
    transfer->request = std::move(request);
    transfer->easy.reset(curl_easy_init());
    if (!transfer->easy) {
        return internal_error("libcurl has no handle");
    }
    static_assert(std::tuple_size_v<decltype(transfer->error_text)> >= CURL_ERROR_SIZE);
    Setter setter(transfer->easy.get());
    setter.set(CURLOPT_ERRORBUFFER, transfer->error_text.data());
    setter.set(CURLOPT_PRIVATE, transfer.get());
    setter.set(CURLOPT_WRITEFUNCTION, &on_body);
    setter.set(CURLOPT_WRITEDATA, transfer.get());
    setter.set(CURLOPT_HEADERFUNCTION, &on_header);
    setter.set(CURLOPT_HEADERDATA, transfer.get());
    setter.set_text(CURLOPT_USERAGENT, user_agent);
    KPID_CHECK_OK(set_url(setter, *transfer));
    set_method(setter, transfer->request);
    set_connection(setter, transfer->request);
    set_tls(setter, transfer->request.options.tls);
    KPID_CHECK_OK(set_headers(setter, *transfer));
    KPID_CHECK_OK(set_basic_auth(setter, transfer->request));
    if (setter.status() != CURLE_OK) {
        return invalid_argument(curl_easy_strerror(setter.status()));
    }
    return transfer;
}

Result<HttpClientResponse> finish_curl_transfer(CurlTransfer& transfer, int curl_code) {
    if (transfer.failure) {
        return *std::move(transfer.failure);
    }
    const auto code = static_cast<CURLcode>(curl_code);
    if (code != CURLE_OK) {
        return to_error(transfer, code);
    }
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<unsigned>(status);
    return std::move(transfer.response);
}

std::uint64_t connections_opened(const CurlTransfer& transfer) {
    long count = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &count);
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace kpid::net
