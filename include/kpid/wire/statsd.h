#pragma once
// Reads StatsD and DogStatsD datagrams.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

/// What a signed gauge means: in kEtsy `+4|g` and `-10|g` change the gauge, in kDogstatsd they set
/// it. DogStatsD's tags and value packing are read in both.
enum class StatsdDialect { kEtsy, kDogstatsd };

enum class StatsdKind {
    kCounter,
    kGauge,
    kGaugeDelta,
    kTimer,         ///< `ms`; the value is in seconds here.
    kHistogram,     ///< `h`, without unit.
    kDistribution,  ///< `d`, without unit.
    kSet,
};

struct StatsdEvent {
    StatsdKind kind = StatsdKind::kCounter;
    std::string name;        ///< As it was sent; sanitise_statsd_name() makes it a metric's.
    double value = 0;        ///< Not for sets.
    std::string set_member;  ///< Sets only.
    double sample_rate = 1;  ///< 0 < rate <= 1: what was counted stands for 1 / rate.
    model::Labels tags;      ///< Names made classic label names; a tag without a value is left out.
    std::optional<Timestamp> time;  ///< DogStatsD's `|T`.
};

/// Why a line was refused.
enum class StatsdReason {
    kMalformed,  ///< No name, colon or type; a section that cannot be read.
    kBadValue,   ///< Not a finite number, or a negative duration.
    kBadType,    ///< A type word that is not known.
    kBadRate,    ///< Not a number in (0, 1].
    kBadTags,    ///< Two tag styles at once, or one that is cut off.
    kLimit,      ///< Too long, too many tags, values or lines.
};
/// As the label `reason` of kpid_ingest_rejected_total: "malformed", …
[[nodiscard]] std::string_view to_string(StatsdReason reason);

struct StatsdLineError {
    std::size_t line = 0;  ///< From 1.
    StatsdReason reason = StatsdReason::kMalformed;
    std::string message;
};

struct StatsdLimits {
    static constexpr std::size_t kLineBytesMax = 8192;
    static constexpr std::size_t kLinesMax = 65536;
    static constexpr std::size_t kTagsMax = 128;
    static constexpr std::size_t kPackedValuesMax = 2048;
};

struct StatsdPacket {
    std::vector<StatsdEvent> events;
    std::vector<StatsdLineError> errors;
    std::size_t ignored = 0;  ///< DogStatsD events and service checks: understood, not kept.
};

/// Reads every line of a datagram (or of whole lines from a stream); a bad line harms no other.
[[nodiscard]] StatsdPacket parse_statsd(std::string_view datagram, StatsdDialect dialect);

/// The name with every character outside [a-zA-Z0-9_:] as `_`, and `_` before a leading digit.
[[nodiscard]] std::string sanitise_statsd_name(std::string_view name);

}  // namespace kpid::wire
