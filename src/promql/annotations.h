#pragma once
// Warnings and infos that a query collects.

#include "kpid/promql/ast.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::promql {

/// One per query; one thread at a time. Keeps each text once for each place.
class Annotations {
public:
    /// How many different ones are kept of each kind; later ones are left out.
    static constexpr std::size_t kAnnotationsMax = 100;

    void warn(std::string message, Position where) { keep(warnings_, std::move(message), where); }
    void info(std::string message, Position where) { keep(infos_, std::move(message), where); }

    /// As the API shows them: prefix, message and place in `text`; sorted, unique.
    [[nodiscard]] std::vector<std::string> warnings(std::string_view text) const {
        return render("PromQL warning: ", warnings_, text);
    }
    [[nodiscard]] std::vector<std::string> infos(std::string_view text) const {
        return render("PromQL info: ", infos_, text);
    }

private:
    using Entries = std::set<std::pair<std::string, std::uint32_t>>;

    static void keep(Entries& entries, std::string message, Position where) {
        if (entries.size() < kAnnotationsMax) {
            entries.emplace(std::move(message), where.start);
        }
    }
    static std::vector<std::string> render(std::string_view prefix, const Entries& entries,
                                           std::string_view text);

    Entries warnings_;
    Entries infos_;
};

}  // namespace kpid::promql
