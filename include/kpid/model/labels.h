#pragma once
// Label sets: the identity of a series.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::model {

/// The label that holds the metric's name.
inline constexpr std::string_view kMetricName = "__name__";

struct Label {
    std::string name;
    std::string value;
    auto operator<=>(const Label&) const = default;
};

/// A label that lies elsewhere.
struct LabelView {
    std::string_view name;
    std::string_view value;
    auto operator<=>(const LabelView&) const = default;
};

/// An immutable set of labels, sorted, names unique, values never empty (an empty value is an
/// absent label, as in Prometheus). Copies share their data: cheap, safe to read from any thread.
class Labels {
public:
    using const_iterator = std::vector<Label>::const_iterator;

    Labels();
    /// Sorts; drops empty values; of two equal names the later wins.
    Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);
    [[nodiscard]] static Labels from(std::vector<Label> labels);
    /// Copies the texts.
    [[nodiscard]] static Labels copy_of(std::span<const LabelView> labels);

    /// The value, or "" when absent. Valid as long as this or a copy lives.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] std::string_view metric_name() const { return get(kMetricName); }

    [[nodiscard]] const_iterator begin() const { return rep_->labels.begin(); }
    [[nodiscard]] const_iterator end() const { return rep_->labels.end(); }
    [[nodiscard]] std::size_t size() const { return rep_->labels.size(); }
    [[nodiscard]] bool empty() const { return rep_->labels.empty(); }

    /// Stable over processes; computed once.
    [[nodiscard]] std::uint64_t hash() const { return rep_->hash; }
    /// A copy without / with this label. To change several use LabelsBuilder.
    [[nodiscard]] Labels without(std::string_view name) const;
    [[nodiscard]] Labels with(std::string_view name, std::string_view value) const;
    /// `name{a="1", b="2"}` as Prometheus prints it; `{}` when empty. Other names are quoted.
    [[nodiscard]] std::string to_string() const;

    bool operator==(const Labels& other) const;
    /// Prometheus' order: label by label, name then value.
    std::strong_ordering operator<=>(const Labels& other) const;

private:
    struct Rep {
        std::vector<Label> labels;
        std::uint64_t hash = 0;
    };
    friend class LabelsBuilder;
    explicit Labels(std::shared_ptr<const Rep> rep) : rep_(std::move(rep)) {}
    [[nodiscard]] static std::shared_ptr<const Rep> make_rep(std::vector<Label> sorted);

    std::shared_ptr<const Rep> rep_;  // never null
};

/// Changes a copy of a label set.
class LabelsBuilder {
public:
    LabelsBuilder() = default;
    explicit LabelsBuilder(const Labels& base) : labels_(base.begin(), base.end()) {}

    /// Sets a label; an empty value erases it.
    LabelsBuilder& set(std::string_view name, std::string_view value);
    LabelsBuilder& erase(std::string_view name);
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] const std::vector<Label>& labels() const { return labels_; }  // sorted by name
    [[nodiscard]] Labels build() const;

private:
    std::vector<Label> labels_;
};

/// For hash maps keyed by label sets.
struct LabelsHash {
    using is_avalanching = void;
    std::size_t operator()(const Labels& labels) const noexcept {
        return static_cast<std::size_t>(labels.hash());
    }
};

/// Classic names: [a-zA-Z_:][a-zA-Z0-9_:]* for metrics, without the colon for labels.
[[nodiscard]] bool is_classic_metric_name(std::string_view name);
[[nodiscard]] bool is_classic_label_name(std::string_view name);

/// The text in double quotes with `\`, `"` and newline escaped, as PromQL and text formats write
/// label values.
[[nodiscard]] std::string quote_label_value(std::string_view value);

}  // namespace kpid::model
