#include "kpid/wire/exposition.h"

#include "kpid/base/hash.h"
#include "kpid/base/number.h"
#include "wire/exposition_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kpid::wire {
namespace {

std::string resolve(std::string_view raw, bool has_escapes) {
    return has_escapes ? detail::unescape(raw, true) : std::string(raw);
}

std::string canonical_bound(std::string_view raw) {
    const Result<double> bound = parse_float(raw);
    return bound ? format_bound(*bound) : std::string(raw);
}

void append_labels(std::span<const RawLabel> raw, std::vector<model::Label>& labels) {
    for (const RawLabel& label : raw) {
        if (label.value.empty()) {
            continue;
        }
        labels.push_back({resolve(label.name, label.name_has_escapes),
                          label.is_bound ? canonical_bound(label.value)
                                         : resolve(label.value, label.value_has_escapes)});
    }
}

std::string lower_trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    text = text.substr(first, text.find_last_not_of(" \t") - first + 1);
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower;
}

// Takes the text up to `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return part;
}

class Collector final : public ExpositionSink {
public:
    Result<void> on_sample(const SampleEvent& sample) override {
        ParsedSample parsed{.labels = sample.build_labels(),
                            .value = sample.value,
                            .time = sample.time,
                            .type = sample.type,
                            .is_created = sample.is_created,
                            .line = sample.line};
        if (sample.exemplar != nullptr) {
            parsed.exemplar = ParsedExemplar{sample.exemplar->build_labels(),
                                             sample.exemplar->value, sample.exemplar->time};
        }
        exposition_.samples.push_back(std::move(parsed));
        return {};
    }

    Result<void> on_metadata(const MetadataEvent& event) override {
        std::vector<model::MetricMetadata>& all = exposition_.metadata;
        const auto [place, fresh] = places_.try_emplace(std::string(event.family), all.size());
        if (fresh) {
            all.push_back({.family = std::string(event.family)});
        }
        model::MetricMetadata& metadata = all[place->second];
        switch (event.kind) {
            case MetadataEvent::Kind::kHelp:
                metadata.help = event.text;
                break;
            case MetadataEvent::Kind::kType:
                metadata.type = event.type;
                break;
            case MetadataEvent::Kind::kUnit:
                metadata.unit = event.text;
                break;
        }
        return {};
    }

    [[nodiscard]] ParsedExposition take() && { return std::move(exposition_); }

private:
    ParsedExposition exposition_;
    StringMap<std::size_t> places_;
};

}  // namespace

model::Labels RawExemplar::build_labels() const {
    std::vector<model::Label> set;
    append_labels(labels, set);
    return model::Labels::from(std::move(set));
}

model::Labels SampleEvent::build_labels() const {
    std::vector<model::Label> set;
    set.reserve(labels.size() + 1);
    set.push_back({std::string(model::kMetricName), resolve(name, name_has_escapes)});
    append_labels(labels, set);
    return model::Labels::from(std::move(set));
}

Result<ExpositionFormat> exposition_format_of(std::string_view content_type) {
    std::string_view rest = content_type;
    const std::string type = lower_trimmed(take_until(rest, ';'));
    if (type.empty()) {
        return ExpositionFormat::kText;
    }
    const Error refusal = unsupported(
        fmt::format("received unsupported Content-Type \"{}\"", content_type.substr(0, 256)));
    const bool open = type == "application/openmetrics-text";
    if (!open && type != "text/plain") {
        return refusal;
    }
    while (!rest.empty()) {
        std::string_view parameter = take_until(rest, ';');
        const std::string name = lower_trimmed(take_until(parameter, '='));
        std::string value = lower_trimmed(parameter);
        std::erase(value, '"');
        const bool known_version =
            open ? value == "1.0.0" || value == "0.0.1" : value == "0.0.4" || value == "1.0.0";
        const bool known_charset = value == "utf-8" || value == "utf8" || value == "us-ascii";
        if ((name == "version" && !known_version) || (name == "charset" && !known_charset)) {
            return refusal;
        }
    }
    return open ? ExpositionFormat::kOpenMetrics : ExpositionFormat::kText;
}

Result<void> read_exposition(std::string_view text, const ExpositionOptions& options,
                             ExpositionSink& sink) {
    return options.format == ExpositionFormat::kOpenMetrics
               ? detail::read_openmetrics(text, options.strictness, sink)
               : detail::read_text(text, options.strictness, sink);
}

Result<ParsedExposition> parse_exposition(std::string_view text, const ExpositionOptions& options) {
    Collector collector;
    KPID_CHECK_OK(read_exposition(text, options, collector));
    return std::move(collector).take();
}

std::string format_bound(double bound) {
    std::string text = format_float_text(bound);
    if (std::isfinite(bound) && text.find_first_of(".e") == std::string::npos) {
        text += ".0";
    }
    return text;
}

}  // namespace kpid::wire
