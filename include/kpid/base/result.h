#pragma once
// Errors as values: what a call gives back when it can fail.

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace kpid {

/// What the caller does next. HTTP status codes come from it in one table (http/error_status.h).
enum class Code {
    kInvalidArgument,    ///< The input is wrong: fix it; retrying is useless.
    kNotFound,           ///< The thing named does not exist.
    kConflict,           ///< It exists already, or with another value.
    kUnsupported,        ///< Well-formed, but not supported (yet): leave it out.
    kUnprocessable,      ///< Valid, but its execution failed: change the request or the data.
    kResourceExhausted,  ///< A limit is reached: back off, then retry.
    kUnavailable,        ///< A peer, a disk or a part is not there now: retry later.
    kDeadlineExceeded,   ///< It took too long: retry with more time.
    kCancelled,          ///< The caller or a shutdown stopped it: not an error to log.
    kPermissionDenied,   ///< Not allowed: ask for access.
    kDataLoss,           ///< Stored data is damaged: restore.
    kInternal,           ///< A defect or an unclassified failure: give up and report.
};

/// The code's name in snake_case: "invalid_argument".
[[nodiscard]] std::string_view to_string(Code code);

/// Why a call failed. `message` is one sentence fragment, lower case, without a full stop.
struct Error {
    Code code = Code::kInternal;
    std::string message;

    /// The same error with "context: " before its message; added where a room's border is crossed.
    [[nodiscard]] Error with_context(std::string_view context) const;
    bool operator==(const Error&) const = default;
};

/// A T or an Error. Must be looked at. `Result<void>` for calls that give back nothing.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
    using tl::expected<T, Error>::expected;
    Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
public:
    using tl::expected<void, Error>::expected;
    Result() = default;
    Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
};

/// Errors in a word: `return invalid_argument(fmt::format("..."))`.
[[nodiscard]] Error invalid_argument(std::string message);
[[nodiscard]] Error not_found(std::string message);
[[nodiscard]] Error unsupported(std::string message);
[[nodiscard]] Error unavailable(std::string message);
[[nodiscard]] Error resource_exhausted(std::string message);
[[nodiscard]] Error internal_error(std::string message);

}  // namespace kpid

#define KPID_DETAIL_CONCAT2(a, b) a##b
#define KPID_DETAIL_CONCAT(a, b) KPID_DETAIL_CONCAT2(a, b)
#define KPID_DETAIL_LINE(name) KPID_DETAIL_CONCAT(name, __LINE__)
/// KPID_TRY(decl, expression): evaluates a Result; returns its error, or assigns the value to
/// decl: `KPID_TRY(auto value, parse(text));`
#define KPID_TRY(decl, ...) KPID_DETAIL_TRY(KPID_DETAIL_LINE(kpid_try_), decl, return, __VA_ARGS__)
/// The same inside a coroutine.
#define KPID_CO_TRY(decl, ...) \
    KPID_DETAIL_TRY(KPID_DETAIL_LINE(kpid_try_), decl, co_return, __VA_ARGS__)
#define KPID_DETAIL_TRY(tmp, decl, ret, ...) \
    auto tmp = (__VA_ARGS__);                \
    if (!tmp) {                              \
        ret std::move(tmp).error();          \
    }                                        \
    decl = *std::move(tmp)

/// KPID_CHECK_OK(expression): evaluates a Result<void>; on an error returns it.
#define KPID_CHECK_OK(...)                                      \
    do {                                                        \
        if (auto kpid_status_ = (__VA_ARGS__); !kpid_status_) { \
            return std::move(kpid_status_).error();             \
        }                                                       \
    } while (false)
#define KPID_CO_CHECK_OK(...)                                   \
    do {                                                        \
        if (auto kpid_status_ = (__VA_ARGS__); !kpid_status_) { \
            co_return std::move(kpid_status_).error();          \
        }                                                       \
    } while (false)
