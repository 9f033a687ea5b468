#pragma once
// A KPI as its owners defined it: typed, checked by `config`, never changed afterwards.

#include "kpid/base/time.h"
#include "kpid/kpi/condition.h"
#include "kpid/model/labels.h"
#include "kpid/model/matcher.h"
#include "kpid/model/unit.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kpid::kpi {

/// Which direction is good.
enum class Better { kHigher, kLower, kBand };
/// "higher", "lower", "band".
[[nodiscard]] std::string_view to_string(Better better);
[[nodiscard]] std::optional<Better> parse_better(std::string_view text);

/// What a bare number means, for example `target: 1%`.
enum class LevelKind { kTarget, kWarning, kCritical, kRecover };
/// The operator of a bare number: with kHigher a target is at_least and a level below; with kLower
/// a target is at_most and a level above. Nothing for kBand: a single number says nothing there.
[[nodiscard]] std::optional<Operator> bare_operator(Better better, LevelKind kind);

/// One level: when it is entered and left, and how its alert behaves.
struct Level {
    Condition condition;
    std::optional<Duration> hold;             ///< `for`; absent: the definition's.
    std::optional<Duration> keep_firing_for;  ///< Absent: the definition's.
    std::optional<Condition> recover;     ///< Absent: the definition's, else the condition's end.
    std::optional<std::string> severity;  ///< Of its alert; absent: the level's name.
    bool operator==(const Level&) const = default;
};

/// `warning: none`.
struct NoLevel {
    bool operator==(const NoLevel&) const = default;
};
/// Not given, `none`, or a level.
using LevelSetting = std::variant<std::monostate, NoLevel, Level>;

/// What an override changes of a level, key by key; what is absent stays. An override of a level
/// that the definition does not give must have a condition (`config` checks it).
struct LevelPatch {
    bool none = false;  ///< `warning: none`: the level goes; the other fields have no meaning.
    std::optional<Condition> condition;
    std::optional<Duration> hold;
    std::optional<Duration> keep_firing_for;
    std::optional<Condition> recover;
    std::optional<std::string> severity;
    bool operator==(const LevelPatch&) const = default;
};

/// An entry of `overrides`: for instances that all matchers match. The first that matches wins.
struct Override {
    std::vector<model::Matcher> match;
    std::optional<Condition> target;
    std::optional<LevelPatch> warning;
    std::optional<LevelPatch> critical;
    std::optional<Duration> hold;
    std::optional<Duration> keep_firing_for;
    std::optional<Condition> recover;
    bool operator==(const Override&) const = default;
};

/// What is shown after `no_data.after` without a value.
enum class NoDataStatus { kNoData, kKeep, kOk, kWarning, kCritical };
/// "no_data", "keep", "ok", "warning", "critical".
[[nodiscard]] std::string_view to_string(NoDataStatus status);
[[nodiscard]] std::optional<NoDataStatus> parse_no_data_status(std::string_view text);

struct NoData {
    static constexpr Duration kForgetDefault = std::chrono::hours(24);

    std::optional<Duration> after;  ///< Absent: three times valid_for.
    NoDataStatus status = NoDataStatus::kNoData;
    /// "none", "info", "warning", "critical"; absent: none with kKeep and kOk, critical with
    /// kCritical, else warning.
    std::optional<std::string> alert;
    Duration forget_instance_after = kForgetDefault;

    /// The severity of the no_data alert; nothing when there is none.
    [[nodiscard]] std::optional<std::string> alert_severity() const;
    /// `after`, or its default.
    [[nodiscard]] Duration after_or_default(Duration valid_for) const;
    bool operator==(const NoData&) const = default;
};

/// `require`: too little behind the number makes it unsure.
struct Require {
    std::string expr;
    Condition condition;
    bool operator==(const Require&) const = default;
};

/// When the KPI is evaluated. on_sample is in addition to the interval.
struct Schedule {
    bool on_sample = false;
    std::optional<Duration> interval;  ///< Absent: global.evaluation_interval.
    bool operator==(const Schedule&) const = default;
};

struct Action {
    std::string when;  ///< "warning", "critical" or empty: always.
    std::string text;  ///< `do`.
    std::string url;
    bool operator==(const Action&) const = default;
};

struct Driver {
    std::string kpi;
    std::optional<double> share;
    bool operator==(const Driver&) const = default;
};

struct Benchmark {
    std::string key;   ///< "industry", "competitor".
    std::string name;  ///< Of the competitor.
    std::optional<double> value;
    std::optional<double> growth;
    std::string source;
    std::string as_of;  ///< A date as written.
    bool operator==(const Benchmark&) const = default;
};

struct Definition {
    static constexpr std::size_t kInstancesDefault = 500;
    static constexpr Duration kWaitForAllDefault = std::chrono::milliseconds(100);

    // Descriptive.
    std::string id;
    std::string title;
    std::string description;
    std::string owner;
    std::string goal;
    std::string category;
    std::string role;  ///< "lagging", "leading", "guardrail" or empty.
    Better better = Better::kHigher;
    model::Unit unit;
    std::vector<Action> actions;
    std::vector<Driver> drivers;
    std::vector<Benchmark> benchmarks;

    // The value.
    std::string value_expr;
    /// The expressions that bounds name by index, those of overrides and require included.
    std::vector<std::string> bound_exprs;

    // Judgement.
    std::optional<Condition> target;
    LevelSetting warning;
    LevelSetting critical;
    Duration hold{0};             ///< `for` of both levels.
    Duration keep_firing_for{0};  ///< Of both levels.
    std::optional<Condition> recover;
    std::vector<Override> overrides;
    std::optional<Require> require;
    /// Instances that must exist: an instance counts for an entry when it has all of its labels.
    std::vector<model::Labels> expect;
    NoData no_data;

    // When, how many, and what its alerts carry.
    Schedule evaluate;
    Duration wait_for_all = kWaitForAllDefault;
    std::size_t limit = kInstancesDefault;
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> annotations;

    bool operator==(const Definition&) const = default;
};

}  // namespace kpid::kpi
