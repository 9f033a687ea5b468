// HMAC-SHA256 by OpenSSL.
#include "notify/signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>
#include <vector>

namespace kpid::notify {
namespace {

constexpr std::size_t kSecretBytesMin = 24;
constexpr std::size_t kSecretBytesMax = 64;

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) {
        return {};
    }
    return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::vector<unsigned char>> decode_base64(std::string_view text) {
    // The library takes '=' anywhere for zero bits.
    const std::size_t first_padding = text.find('=');
    if (text.empty() || text.size() % 4 != 0 || text.size() > 4 * kSecretBytesMax ||
        (first_padding != std::string_view::npos && first_padding + 2 < text.size()) ||
        text.find_first_not_of('=', first_padding) != std::string_view::npos) {
        return std::nullopt;
    }
    std::vector<unsigned char> out(text.size() / 4 * 3);
    const int length = EVP_DecodeBlock(out.data(), bytes(text), static_cast<int>(text.size()));
    if (length < 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.size() - 1 - text.find_last_not_of('=');
    out.resize(static_cast<std::size_t>(length) - padding);
    return out;
}

}  // namespace

Result<std::string> sign_webhook(std::string_view secret, std::string_view id, Timestamp timestamp,
                                 std::string_view body) {
    constexpr std::string_view kPrefix = "whsec_";
    secret = trim(secret);
    if (secret.starts_with(kPrefix)) {
        secret.remove_prefix(kPrefix.size());
    }
    const auto key = decode_base64(secret);
    if (!key || key->size() < kSecretBytesMin || key->size() > kSecretBytesMax) {
        return invalid_argument("the webhook's secret is not base64 of 24 to 64 bytes");
    }
    std::string signed_text = fmt::format("{}.{}.", id, timestamp.ms() / 1000);
    signed_text += body;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int digest_size = 0;
    if (HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()), bytes(signed_text),
             signed_text.size(), digest.data(), &digest_size) == nullptr) {
        return internal_error("HMAC-SHA256 failed");
    }
    std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> encoded{};
    const int length =
        EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest_size));
    return "v1," + std::string(reinterpret_cast<const char*>(encoded.data()),
                               static_cast<std::size_t>(length));
}

}  // namespace kpid::notify
