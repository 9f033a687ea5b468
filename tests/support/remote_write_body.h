#pragma once
// Makes the bodies of remote write requests as senders do.

#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::testing {

/// As a protobuf library writes it: a time or value whose bits are 0 is left out.
struct SentSample {
    std::int64_t ms = 0;
    double value = 0;
};

struct SentExemplar {
    std::vector<std::pair<std::string, std::string>> labels = {};
    double value = 0;
    std::int64_t ms = 0;
};

struct SentSeries {
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<SentSample> samples = {};
    std::vector<SentExemplar> exemplars = {};
    std::size_t native_histograms = 0;
};

inline std::string snappy_block(std::string_view plain) {
    std::string packed;
    snappy::Compress(plain.data(), plain.size(), &packed);
    return packed;
}

inline std::string label_message(std::string_view name, std::string_view value) {
    std::string bytes;
    protozero::pbf_writer label(bytes);
    label.add_string(1, name.data(), name.size());
    label.add_string(2, value.data(), value.size());
    return bytes;
}

inline std::string sample_message(const SentSample& sample) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    const auto bits = std::bit_cast<std::uint64_t>(sample.value);
    if (bits != 0) {
        writer.add_fixed64(1, bits);
    }
    if (sample.ms != 0) {
        writer.add_int64(2, sample.ms);
    }
    return bytes;
}

/// Behind the labels, which each version writes in its way.
inline void add_exemplar_value(protozero::pbf_writer& writer, const SentExemplar& exemplar) {
    const auto bits = std::bit_cast<std::uint64_t>(exemplar.value);
    if (bits != 0) {
        writer.add_fixed64(2, bits);
    }
    if (exemplar.ms != 0) {
        writer.add_int64(3, exemplar.ms);
    }
}

inline std::string exemplar_message_v1(const SentExemplar& exemplar) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    for (const auto& [name, value] : exemplar.labels) {
        writer.add_message(1, label_message(name, value));
    }
    add_exemplar_value(writer, exemplar);
    return bytes;
}

inline std::string series_message_v1(const SentSeries& series) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    for (const auto& [name, value] : series.labels) {
        writer.add_message(1, label_message(name, value));
    }
    for (const SentSample& sample : series.samples) {
        writer.add_message(2, sample_message(sample));
    }
    for (const SentExemplar& exemplar : series.exemplars) {
        writer.add_message(3, exemplar_message_v1(exemplar));
    }
    for (std::size_t i = 0; i < series.native_histograms; ++i) {
        writer.add_message(4, std::string());
    }
    return bytes;
}

/// A WriteRequest of version 1, not packed.
inline std::string request_message_v1(const std::vector<SentSeries>& all) {
    std::string bytes;
    protozero::pbf_writer request(bytes);
    for (const SentSeries& series : all) {
        request.add_message(1, series_message_v1(series));
    }
    return bytes;
}

/// MetricMetadata of version 1.
inline std::string metadata_message(int type, const std::string& family, const std::string& help,
                                    const std::string& unit) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_enum(1, type);
    writer.add_string(2, family);
    writer.add_string(4, help);
    writer.add_string(5, unit);
    return bytes;
}

/// Hands out references to symbols, the empty one first.
class SymbolTable {
public:
    std::uint32_t reference(const std::string& symbol) {
        const auto [place, fresh] =
            references_.try_emplace(symbol, static_cast<std::uint32_t>(symbols_.size()));
        if (fresh) {
            symbols_.push_back(symbol);
        }
        return place->second;
    }
    /// To the names and values of labels, in turn.
    std::vector<std::uint32_t> references(
        const std::vector<std::pair<std::string, std::string>>& labels) {
        std::vector<std::uint32_t> references;
        for (const auto& [name, value] : labels) {
            references.push_back(reference(name));
            references.push_back(reference(value));
        }
        return references;
    }
    [[nodiscard]] const std::vector<std::string>& symbols() const { return symbols_; }

private:
    std::vector<std::string> symbols_{""};
    std::map<std::string, std::uint32_t> references_{{"", 0}};
};

/// A Request of version 2, not packed.
inline std::string request_message_v2(const std::vector<SentSeries>& all) {
    SymbolTable table;
    std::vector<std::string> messages;
    for (const SentSeries& series : all) {
        std::string bytes;
        protozero::pbf_writer writer(bytes);
        const std::vector<std::uint32_t> references = table.references(series.labels);
        writer.add_packed_uint32(1, references.begin(), references.end());
        for (const SentSample& sample : series.samples) {
            writer.add_message(2, sample_message(sample));
        }
        for (std::size_t i = 0; i < series.native_histograms; ++i) {
            writer.add_message(3, std::string());
        }
        for (const SentExemplar& exemplar : series.exemplars) {
            std::string message;
            protozero::pbf_writer exemplar_writer(message);
            const std::vector<std::uint32_t> labels = table.references(exemplar.labels);
            exemplar_writer.add_packed_uint32(1, labels.begin(), labels.end());
            add_exemplar_value(exemplar_writer, exemplar);
            writer.add_message(4, message);
        }
        messages.push_back(std::move(bytes));
    }
    std::string request_bytes;
    protozero::pbf_writer request(request_bytes);
    for (const std::string& symbol : table.symbols()) {
        request.add_string(4, symbol);
    }
    for (const std::string& message : messages) {
        request.add_message(5, message);
    }
    return request_bytes;
}

}  // namespace kpid::testing
