#pragma once
// How an HTTP client authenticates and connects: Prometheus' `http_config` as a value.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kpid {

/// Secrets stand in one of the plain field and its `_file` twin; files are read at each use, so a
/// rotated secret needs no reload. Never printed.
struct HttpClientOptions {
    struct BasicAuth {
        std::string username;
        std::string username_file;
        std::string password;
        std::string password_file;
        bool operator==(const BasicAuth&) const = default;
    };
    struct Authorization {
        std::string type = "Bearer";
        std::string credentials;
        std::string credentials_file;
        bool operator==(const Authorization&) const = default;
    };
    struct Tls {
        std::string ca_file;
        std::string cert_file;
        std::string key_file;
        std::string server_name;
        bool insecure_skip_verify = false;
        bool operator==(const Tls&) const = default;
    };

    std::optional<BasicAuth> basic_auth;
    std::optional<Authorization> authorization;
    Tls tls;
    std::string proxy_url;
    bool follow_redirects = true;
    bool enable_http2 = true;
    std::vector<std::pair<std::string, std::string>> headers;
    bool operator==(const HttpClientOptions&) const = default;
};

}  // namespace kpid
