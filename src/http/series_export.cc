// The walk over what is exported.
#include "http/series_export.h"

#include "kpid/wire/text_encoder.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>

namespace kpid::http {
namespace {

using model::Matcher;

constexpr std::size_t kSliceSamples = 1000;

Timestamp middle(const model::TimeRange& range) {
    const auto width =
        static_cast<std::uint64_t>(range.end.ms()) - static_cast<std::uint64_t>(range.start.ms());
    return Timestamp(
        static_cast<std::int64_t>(static_cast<std::uint64_t>(range.start.ms()) + width / 2));
}

// That the series has exactly these labels: others that its metric has are absent.
std::vector<Matcher> exact_matchers(const model::Labels& labels,
                                    const std::vector<std::string>& names) {
    std::vector<Matcher> matchers;
    matchers.reserve(names.size());
    for (const std::string& name : names) {
        matchers.push_back(Matcher::equal(name, labels.get(name)));
    }
    return matchers;
}

std::vector<Matcher> with_name(std::vector<Matcher> matchers, const std::string& name) {
    matchers.push_back(Matcher::equal(model::kMetricName, name));
    return matchers;
}

}  // namespace

Result<std::string> SeriesExport::next() {
    if (!begun_) {
        KPID_CHECK_OK(find_names());
        begun_ = true;
    }
    std::string out;
    while (!ended_ && out.size() < kPieceBytes) {
        KPID_CHECK_OK(read_more());
        if (has_read()) {
            write_some(out);
        } else {
            out += "# EOF\n";
            ended_ = true;
        }
    }
    return out;
}

Result<void> SeriesExport::find_names() {
    if (range_.end < range_.start) {
        return {};
    }
    std::set<std::string> names;
    for (const Matchers& matchers : sets_) {
        KPID_TRY(const std::vector<std::string> some,
                 reader_.label_values(model::kMetricName, matchers, range_));
        names.insert(some.begin(), some.end());
    }
    names_.assign(names.begin(), names.end());
    return {};
}

Result<void> SeriesExport::read_more() {
    while (!has_read()) {
        read_.clear();
        series_at_ = 0;
        sample_at_ = 0;
        if (!parts_.empty()) {
            KPID_CHECK_OK(read_part());
        } else if (alone_at_ + 1 < alone_.size()) {
            ++alone_at_;
            parts_.push_back(range_);
        } else if (name_at_ < names_.size()) {
            alone_.clear();
            alone_at_ = 0;
            KPID_CHECK_OK(read_metric());
            ++name_at_;
        } else {
            return {};
        }
    }
    return {};
}

Result<void> SeriesExport::read_metric() {
    const std::string& name = names_[name_at_];
    std::map<model::Labels, model::SeriesColumns> all;
    for (const Matchers& set : sets_) {
        const Matchers matchers = with_name(set, name);
        Result<std::vector<model::SeriesColumns>> some =
            reader_.select(matchers, range_, {.samples_max = read_samples_max_});
        if (!some && some.error().code == Code::kResourceExhausted) {
            return list_series(name);
        }
        if (!some) {
            return some.error();
        }
        for (model::SeriesColumns& series : *some) {
            model::Labels labels = series.labels;
            all.insert_or_assign(std::move(labels), std::move(series));
        }
    }
    for (auto& [labels, series] : all) {
        read_.push_back(std::move(series));
    }
    return {};
}

Result<void> SeriesExport::list_series(const std::string& name) {
    std::set<model::Labels> series;
    std::set<std::string> names;
    for (const Matchers& set : sets_) {
        const Matchers matchers = with_name(set, name);
        KPID_TRY(const std::vector<model::Labels> some, reader_.series(matchers, range_));
        series.insert(some.begin(), some.end());
    }
    for (const model::Labels& labels : series) {
        for (const model::Label& label : labels) {
            names.insert(label.name);
        }
    }
    alone_.assign(series.begin(), series.end());
    label_names_.assign(names.begin(), names.end());
    alone_at_ = 0;
    if (!alone_.empty()) {
        parts_.push_back(range_);
    }
    return {};
}

// One series, over the next part of the time; a part that is too large is cut in two.
Result<void> SeriesExport::read_part() {
    const model::TimeRange part = parts_.back();
    parts_.pop_back();
    const model::Labels& labels = alone_[alone_at_];
    const Matchers matchers = exact_matchers(labels, label_names_);
    Result<std::vector<model::SeriesColumns>> some =
        reader_.select(matchers, part, {.samples_max = read_samples_max_});
    if (!some && some.error().code == Code::kResourceExhausted && part.start < part.end) {
        const Timestamp cut = middle(part);
        parts_.push_back({Timestamp(cut.ms() + 1), part.end});
        parts_.push_back({part.start, cut});
        return {};
    }
    if (!some) {
        return some.error();
    }
    // A label that only came up since the names were listed could let another series in.
    std::erase_if(*some,
                  [&](const model::SeriesColumns& series) { return series.labels != labels; });
    read_ = *std::move(some);
    return {};
}

// A slice of the series at hand.
void SeriesExport::write_some(std::string& out) {
    const model::SeriesColumns& series = read_[series_at_];
    const std::string_view name = series.labels.metric_name();
    if (family_ != name) {
        family_ = name;
        wire::encode_unknown_type(name, out);
    }
    const std::size_t count = std::min(kSliceSamples, series.times.size() - sample_at_);
    wire::encode_series(series.labels, std::span(series.times).subspan(sample_at_, count),
                        std::span(series.values).subspan(sample_at_, count), out);
    sample_at_ += count;
    if (sample_at_ == series.times.size()) {
        ++series_at_;
        sample_at_ = 0;
    }
}

}  // namespace kpid::http
