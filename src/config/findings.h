#pragma once
// What is wrong with a configuration: every finding of every file, with its place.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

/// A place in a text; both count from 1, columns count bytes. 0 is "no place inside the file".
struct Position {
    int line = 0;
    int column = 0;
    auto operator<=>(const Position&) const = default;
};

enum class Severity { kError, kWarning, kInfo };
/// "error", "warning", "info".
[[nodiscard]] std::string_view to_string(Severity severity);

/// One thing a person should look at.
struct Finding {
    std::string file;  ///< As it was named: the argument, or a path that a glob gave.
    int line = 0;      ///< From 1; 0 when the whole file is meant.
    int column = 0;
    Severity severity = Severity::kError;
    std::string id;       ///< A stable word for the kind of finding: "unknown-key".
    std::string message;  ///< One sentence fragment, lower case, without a full stop.
    std::string hint;     ///< What to do about it; may be empty.
    bool operator==(const Finding&) const = default;
};

/// `file:line:col: error: text (hint)`; without line and column when there are none.
[[nodiscard]] std::string to_string(const Finding& finding);

/// Collects findings over all files. Keeps at most kFindingsMax; the rest is counted in one last
/// finding.
class ErrorList {
public:
    static constexpr std::size_t kFindingsMax = 1000;

    void add(Finding finding);
    [[nodiscard]] bool has_errors() const { return errors_ > 0; }
    [[nodiscard]] std::size_t error_count() const { return errors_; }
    /// In order of file (first seen first), then place.
    [[nodiscard]] std::vector<Finding> take() &&;

private:
    std::vector<Finding> findings_;
    std::size_t errors_ = 0;
    std::size_t dropped_ = 0;
};

}  // namespace kpid::config
