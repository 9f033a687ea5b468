// Range queries against instant queries.

#include "support/engine_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace kpid::testing {
namespace {

using Found = std::map<model::Labels, double>;

bool same(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b)) ||
           std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

bool same(const Found& a, const Found& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.first == y.first && same(x.second, y.second);
    });
}

std::string show(const Found& found) {
    std::string text;
    for (const auto& [labels, value] : found) {
        text += fmt::format(" {} {};", labels.to_string(), value);
    }
    return text;
}

// Nothing where two series have the same labels.
std::optional<Found> found_by_instant(const promql::Value& value) {
    Found found;
    if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
        found.emplace(model::Labels(), scalar->value);
        return found;
    }
    for (const promql::VectorSample& sample : std::get<promql::Vector>(value)) {
        if (!found.emplace(sample.labels, sample.value).second) {
            return std::nullopt;
        }
    }
    return found;
}

std::optional<Found> found_by_range(const promql::Value& value, Timestamp time) {
    Found found;
    for (const promql::MatrixSeries& series : std::get<promql::Matrix>(value)) {
        for (const promql::Point& point : series.points) {
            if (point.time == time && !found.emplace(series.labels, point.value).second) {
                return std::nullopt;
            }
        }
    }
    return found;
}

bool is_known(const Error& error) {
    return !error.message.empty() &&
           (error.code == Code::kUnprocessable || error.code == Code::kInvalidArgument);
}

// Range queries have no order, and other starts and ends than an instant has.
bool comparable(std::string_view text) {
    const auto has = [text](std::string_view part) {
        return text.find(part) != std::string_view::npos;
    };
    const bool looks_at_the_query =
        has("start()") || has("end()") || has("step()") || has("range()");
    const bool picks_by_order = has("sort") && (has("limitk") || has("topk") || has("bottomk"));
    return !looks_at_the_query && !picks_by_order;
}

}  // namespace

std::string disagreement(const promql::Engine& engine, const promql::Expr& expr,
                         std::string_view text, const RandomQuery& query,
                         const model::Reader& reader) {
    const auto range =
        engine.range(expr, query.start, query.start + query.step * query.gaps, query.step, reader);
    if (!range && !is_known(range.error())) {
        return fmt::format("{}: error: {}", text, range.error().message);
    }
    std::string failed;  // An instant's error.
    for (std::int64_t i = 0; i <= query.gaps; ++i) {
        const Timestamp time = query.start + query.step * i;
        const auto instant = engine.instant(expr, time, reader);
        if (!instant) {
            failed = instant.error().message;
            if (!is_known(instant.error())) {
                return fmt::format("{}: error: {}", text, failed);
            }
            continue;
        }
        const std::optional<Found> here = found_by_instant(instant->value);
        const std::optional<Found> there =
            range ? found_by_range(range->value, time) : std::optional(Found());
        if (!here || !there) {
            return fmt::format("{} at {} ms: two series have the same labels", text, time.ms());
        }
        if (range && comparable(text) && !same(*here, *there)) {
            return fmt::format("{} at {} ms:{} but in a range query:{}", text, time.ms(),
                               show(*here), show(*there));
        }
    }
    const bool too_many =
        !range && range.error().message.find("too many samples") != std::string::npos;
    if (comparable(text) && !too_many && range.has_value() == !failed.empty()) {
        return fmt::format("{}: the range query says \"{}\", an instant query \"{}\"", text,
                           range ? "" : range.error().message, failed);
    }
    return "";
}

}  // namespace kpid::testing
