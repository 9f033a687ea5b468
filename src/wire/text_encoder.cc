#include "kpid/wire/text_encoder.h"

#include "kpid/base/number.h"
#include "kpid/model/classic_names.h"
#include "kpid/model/sample.h"

#include <fmt/format.h>

namespace kpid::wire {
namespace {

using model::MetricType;

std::string escape_help(std::string_view help, bool quotes) {
    std::string text;
    text.reserve(help.size());
    for (const char c : help) {
        if (c == '\\' || (quotes && c == '"')) {
            text += '\\';
            text += c;
        } else if (c == '\n') {
            text += "\\n";
        } else {
            text += c;
        }
    }
    return text;
}

std::string written_name(std::string_view name) {
    return model::is_classic_metric_name(name) ? std::string(name) : model::quote_label_value(name);
}

std::string_view type_word(MetricType type, bool open) {
    if (open) {
        return model::to_string(type);
    }
    switch (type) {
        case MetricType::kUnknown:
            return "untyped";
        case MetricType::kCounter:
            return "counter";
        case MetricType::kHistogram:
        case MetricType::kGaugeHistogram:
            return "histogram";
        case MetricType::kSummary:
            return "summary";
        case MetricType::kGauge:
        case MetricType::kInfo:
        case MetricType::kStateset:
            return "gauge";
    }
    return "untyped";
}

// The family's name in text: that of the samples where these have one suffix.
std::string text_family_name(const MetricFamily& family) {
    if (family.type == MetricType::kCounter || family.type == MetricType::kInfo) {
        for (const EncodedSample& sample : family.samples) {
            if (sample.suffix != "_created") {
                return family.name + sample.suffix;
            }
        }
    }
    return family.name;
}

// The metric's name is left out: it stands before the braces, or in them as `name`.
template <class LabelRange>
void append_labels(std::string_view name, const LabelRange& labels, std::string& out) {
    const bool classic = model::is_classic_metric_name(name);
    if (classic) {
        out += name;
    }
    bool first = true;
    const auto separate = [&] {
        out += first ? '{' : ',';
        first = false;
    };
    if (!classic) {
        separate();
        out += model::quote_label_value(name);
    }
    for (const auto& label : labels) {
        if (label.name == model::kMetricName) {
            continue;
        }
        separate();
        if (model::is_classic_label_name(label.name)) {
            out += label.name;
        } else {
            out += model::quote_label_value(label.name);
        }
        out += '=';
        out += model::quote_label_value(label.value);
    }
    if (!first) {
        out += '}';
    }
}

void append_sample(const std::string& name, const EncodedSample& sample, bool open,
                   std::string& out) {
    append_labels(name + sample.suffix, sample.labels, out);
    out += ' ';
    out += format_float_text(sample.value);
    if (sample.time) {
        out += ' ';
        out += open ? format_float(sample.time->seconds()) : std::to_string(sample.time->ms());
    }
    out += '\n';
}

MetricFamily with_classic_names(MetricFamily family) {
    family.name = model::to_classic_metric_name(family.name);
    for (EncodedSample& sample : family.samples) {
        sample.labels = model::with_classic_names(sample.labels);
    }
    return family;
}

}  // namespace

void encode_family(const MetricFamily& family, ExpositionFormat format, NameEscaping escaping,
                   std::string& out) {
    if (escaping == NameEscaping::kUnderscores) {
        encode_family(with_classic_names(family), format, NameEscaping::kAllowUtf8, out);
        return;
    }
    const bool open = format == ExpositionFormat::kOpenMetrics;
    const std::string name = open ? family.name : text_family_name(family);
    const std::string written = written_name(name);
    if (!family.help.empty()) {
        out += fmt::format("# HELP {} {}\n", written, escape_help(family.help, open));
    }
    out += fmt::format("# TYPE {} {}\n", written, type_word(family.type, open));
    if (open && !family.unit.empty() && name.ends_with("_" + family.unit)) {
        out += fmt::format("# UNIT {} {}\n", written, family.unit);
    }
    for (const EncodedSample& sample : family.samples) {
        if (!open && sample.suffix == "_created") {
            continue;  // Text has no such samples.
        }
        append_sample(family.name, sample, open, out);
    }
}

std::string encode_exposition(std::span<const MetricFamily> families, ExpositionFormat format,
                              NameEscaping escaping) {
    std::string out;
    for (const MetricFamily& family : families) {
        encode_family(family, format, escaping, out);
    }
    if (format == ExpositionFormat::kOpenMetrics) {
        out += "# EOF\n";
    }
    return out;
}

void encode_unknown_type(std::string_view name, std::string& out) {
    out += "# TYPE ";
    out += written_name(name);
    out += " unknown\n";
}

void encode_untyped(std::string_view name, std::string& out) {
    out += "# TYPE ";
    out += written_name(name);
    out += " untyped\n";
}

void encode_text_sample(std::string_view name, std::span<const model::LabelView> labels,
                        const model::Sample& sample, std::string& out) {
    append_labels(name, labels, out);
    out += ' ';
    out += format_float_text(sample.value);
    out += ' ';
    out += std::to_string(sample.time.ms());
    out += '\n';
}

void encode_series(const model::Labels& labels, std::span<const Timestamp> times,
                   std::span<const double> values, std::string& out) {
    std::string written;
    append_labels(labels.metric_name(), labels, written);
    written += ' ';
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (model::is_stale_marker(values[i])) {
            continue;
        }
        out += written;
        out += format_float_text(values[i]);
        out += ' ';
        out += format_float(times[i].seconds());
        out += '\n';
    }
}

}  // namespace kpid::wire
