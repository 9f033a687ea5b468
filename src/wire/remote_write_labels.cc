// From the label bytes of remote write to label sets.
#include "kpid/base/same_text.h"
#include "kpid/wire/remote_write.h"
#include "wire/remote_write_buffers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace kpid::wire {
namespace {

using protozero::pbf_tag_type;

constexpr pbf_tag_type kLabel = 1;
constexpr pbf_tag_type kName = 1;
constexpr pbf_tag_type kValue = 2;

LabelView read_label(std::string_view bytes) {
    LabelView label;
    protozero::pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
        switch (reader.tag()) {
            case kName:
                label.name = bytes_of(reader, "Label.name");
                break;
            case kValue:
                label.value = bytes_of(reader, "Label.value");
                break;
            default:
                reader.skip();
        }
    }
    return label;
}

// The front of a text that may be long or not UTF-8, fit for a message.
std::string excerpt(std::string_view text) {
    constexpr std::size_t kExcerptBytes = 64;
    std::string out;
    for (const char c : text.substr(0, kExcerptBytes)) {
        out.push_back(c >= ' ' && c <= '~' ? c : '?');
    }
    return text.size() > kExcerptBytes ? out + "..." : out;
}

// What makes sorted labels useless; else empty.
std::string problem_of(const std::vector<LabelView>& sorted) {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i].name.empty()) {
            return "a label has no name";
        }
        if (i > 0 && sorted[i].name == sorted[i - 1].name) {
            return fmt::format("the label {} comes twice", excerpt(sorted[i].name));
        }
    }
    return {};
}

std::string_view metric_name_of(const std::vector<LabelView>& labels) {
    const auto found = std::find_if(labels.begin(), labels.end(), [](const LabelView& label) {
        return label.name == model::kMetricName;
    });
    return found == labels.end() ? std::string_view() : found->value;
}

// A length below 128, or nothing: then the bytes are read with care.
std::optional<std::size_t> short_length(const char*& at, const char* end) {
    if (at == end || static_cast<unsigned char>(*at) >= 0x80) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(*at++);
}

// Field 1 and field 2, length-delimited.
constexpr char kTag1 = 0x0a;
constexpr char kTag2 = 0x12;

// What Prometheus and its kin send: name and value of each label in this order, short, sorted by
// name, none empty. False when anything is otherwise. What `labels` held is written over.
bool read_usual(std::string_view bytes, std::vector<LabelView>& labels) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    // A text behind its tag and length.
    const auto text = [&at](char tag, const char* limit) -> std::string_view {
        if (at == limit || *at != tag) {
            return {};
        }
        ++at;
        const std::optional<std::size_t> size = short_length(at, limit);
        if (!size || *size > static_cast<std::size_t>(limit - at)) {
            return {};
        }
        const std::string_view found(at, *size);
        at += *size;
        return found;
    };
    std::size_t count = 0;
    constexpr std::size_t kRoom = 16;
    while (at != end) {
        const std::string_view message = text(kTag1, end);
        at = message.data();
        const char* const limit = message.data() + message.size();
        if (message.empty()) {
            return false;
        }
        const std::string_view name = text(kTag1, limit);
        const std::string_view value = name.empty() ? name : text(kTag2, limit);
        if (value.empty() || at != limit || count == kRemoteWriteLabelsMax ||
            (count > 0 && labels[count - 1].name >= name)) {
            return false;
        }
        if (count == labels.size()) {
            labels.resize(count + kRoom);
        }
        labels[count++] = {name, value};
    }
    labels.resize(count);
    return true;
}

// Whether the bytes are these labels, written as usual.
bool is_usual(std::string_view bytes, std::span<const LabelView> labels) {
    constexpr std::size_t kShort = 0x80;
    constexpr std::size_t kHeads = 4;  // two tags and lengths, inside of the label's own
    for (const LabelView& label : labels) {
        const std::size_t size = kHeads + label.name.size() + label.value.size();
        if (size >= kShort || bytes.size() < 2 + size) {
            return false;
        }
        const char* const at = bytes.data();
        const char* const value = at + kHeads + label.name.size();
        const std::array<char, kHeads> head{kTag1, static_cast<char>(size), kTag1,
                                            static_cast<char>(label.name.size())};
        if (std::memcmp(at, head.data(), kHeads) != 0 || value[0] != kTag2 ||
            value[1] != static_cast<char>(label.value.size()) ||
            !same_text({value + 2, label.value.size()}, label.value) ||
            !same_text({at + kHeads, label.name.size()}, label.name)) {
            return false;
        }
        bytes.remove_prefix(2 + size);
    }
    return bytes.empty();
}

}  // namespace

Result<void> read_labels(std::string_view label_bytes, std::vector<LabelView>& labels) {
    labels.clear();
    try {
        protozero::pbf_reader reader = reader_of(label_bytes);
        while (reader.next()) {
            if (reader.tag() != kLabel) {
                return invalid_argument("the label bytes hold something else than labels");
            }
            add_bounded(labels, read_label(bytes_of(reader, "TimeSeries.labels")),
                        kRemoteWriteLabelsMax, "labels");
        }
    } catch (const WrongFieldType& wrong) {
        return invalid_argument(fmt::format("{} has another type than it should", wrong.field));
    } catch (const LimitPassed& passed) {
        return invalid_argument(
            fmt::format("there are more than {} {}", passed.limit, passed.things));
    } catch (const protozero::exception&) {
        return invalid_argument("a label is cut short or damaged");
    }
    return {};
}

Result<void> RemoteWriteLabelReader::read(std::string_view bytes,
                                          std::vector<LabelView>& labels) const {
    if (read_usual(bytes, labels)) {
        return {};
    }
    KPID_CHECK_OK(read_labels(bytes, labels));
    const auto by_name = [](const LabelView& a, const LabelView& b) { return a.name < b.name; };
    std::stable_sort(labels.begin(), labels.end(), by_name);
    if (std::string problem = problem_of(labels); !problem.empty()) {
        return invalid_argument(std::move(problem));
    }
    std::erase_if(labels, [](const LabelView& label) { return label.value.empty(); });
    return {};
}

bool RemoteWriteLabelReader::reads_as(std::string_view bytes,
                                      std::span<const LabelView> labels) const {
    // Others may have written the same labels in another way.
    return is_usual(bytes, labels) || LabelReader::reads_as(bytes, labels);
}

RemoteWriteSamples series_samples(const RemoteWriteRequest& request) {
    RemoteWriteSamples out;
    out.samples.reserve(request.samples);
    out.series.reserve(request.samples);
    std::vector<LabelView> scratch;
    for (std::size_t i = 0; i < request.series.size(); ++i) {
        const RemoteWriteSeries& series = request.series[i];
        if (series.samples.empty()) {
            continue;
        }
        scratch.clear();
        const Result<void> labels = series.problem.empty()
                                        ? RemoteWriteLabelReader().read(series.label_bytes, scratch)
                                        : invalid_argument(std::string(series.problem));
        if (!labels) {
            const std::string_view name = metric_name_of(scratch);
            out.refused.push_back(
                {i, series.samples.size(),
                 fmt::format("series {} of the request ({}): {}", i + 1,
                             name.empty() ? "without a metric name" : excerpt(name),
                             labels.error().message)});
            continue;
        }
        const model::Labels owned = model::Labels::copy_of(scratch);
        for (const model::Sample& sample : series.samples) {
            out.samples.push_back({owned, sample.time, sample.value});
            out.series.push_back(i);
        }
    }
    return out;
}

}  // namespace kpid::wire
