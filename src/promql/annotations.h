#pragma once
// Warnings and infos that a query collects.

#include "kpid/base/time.h"
#include "kpid/promql/ast.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::promql {

/// What was done to the buckets of classic histograms whose counts go down with rising bounds.
struct ForcedMonotonicity {
    Timestamp first;  ///< The steps where it was done.
    Timestamp last;
    double bucket_min = 0;  ///< The bounds of the buckets that were raised.
    double bucket_max = 0;
    double difference_max = 0;  ///< By how much at most.
    std::size_t samples = 1;    ///< How many quantiles were asked of such histograms.

    /// Both together.
    void merge(const ForcedMonotonicity& other);
};

/// One per query; one thread at a time. Keeps each text once, with the place that gave it last.
class Annotations {
public:
    /// How many different ones are kept of each kind; later ones are left out.
    static constexpr std::size_t kAnnotationsMax = 100;

    void warn(std::string message, Position where) {
        ++said_;
        keep(warnings_, std::move(message), where);
    }
    void info(std::string message, Position where) {
        ++said_;
        keep(infos_, std::move(message), where);
    }
    /// An info whose details are put together over the whole query; it keeps its first place.
    void info(std::string message, Position where, const ForcedMonotonicity& details);

    /// As the API shows them: prefix, message and place in `text`; sorted, unique.
    [[nodiscard]] std::vector<std::string> warnings(std::string_view text) const {
        return render("PromQL warning: ", warnings_, text);
    }
    [[nodiscard]] std::vector<std::string> infos(std::string_view text) const {
        return render("PromQL info: ", infos_, text);
    }

    /// How often something was said, again or for the first time.
    [[nodiscard]] std::size_t said() const { return said_; }

private:
    struct Entry {
        std::uint32_t offset = 0;
        std::optional<ForcedMonotonicity> details;
    };
    using Entries = std::map<std::string, Entry>;

    static Entry* keep(Entries& entries, std::string message, Position where);
    static std::vector<std::string> render(std::string_view prefix, const Entries& entries,
                                           std::string_view text);

    Entries warnings_;
    Entries infos_;
    std::size_t said_ = 0;
};

}  // namespace kpid::promql
