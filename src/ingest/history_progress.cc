// The JSON of HistoryProgress.
#include "ingest/history_progress.h"

#include "kpid/base/json_writer.h"
#include "kpid/wire/json_document.h"

#include <cmath>
#include <utility>
#include <vector>

namespace kpid::ingest {
namespace {

using Kind = wire::JsonValue::Kind;

constexpr std::string_view kOf = "of";
constexpr std::string_view kSince = "since";
constexpr std::string_view kDone = "done";
// Beyond it a double skips milliseconds.
constexpr double kWholeMax = 9007199254740992.0;

std::optional<Timestamp> read_time(const std::optional<wire::JsonValue>& value) {
    if (!value || value->kind() != Kind::kNumber || !(std::abs(value->number()) <= kWholeMax)) {
        return std::nullopt;
    }
    return Timestamp(static_cast<std::int64_t>(value->number()));
}

std::optional<CoveredSpans> read_spans(const wire::JsonValue& list) {
    CoveredSpans spans;
    bool good = true;
    list.for_each([&](std::string_view, const wire::JsonValue& pair) {
        std::vector<Timestamp> times;
        pair.for_each([&](std::string_view, const wire::JsonValue& value) {
            if (const auto time = read_time(value)) {
                times.push_back(*time);
            }
        });
        good = good && times.size() == 2;
        if (good) {
            spans.add(times[0], times[1]);
        }
    });
    return good ? std::optional(std::move(spans)) : std::nullopt;
}

}  // namespace

std::string encode_progress(const HistoryProgress& progress) {
    JsonWriter json;
    json.begin_object().key(kOf).string(progress.of).key(kSince).number(progress.since.ms());
    json.key(kDone).begin_array();
    for (const CoveredSpans::Span& span : progress.done.spans()) {
        json.begin_array().number(span.from.ms()).number(span.until.ms()).end_array();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

std::optional<HistoryProgress> decode_progress(std::string_view text) {
    const Result<wire::JsonDocument> document = wire::JsonDocument::parse(text);
    if (!document || document->root().kind() != Kind::kObject) {
        return std::nullopt;
    }
    const wire::JsonValue root = document->root();
    const auto of = root.member(kOf);
    const auto since = read_time(root.member(kSince));
    const auto done = root.member(kDone);
    if (!of || of->kind() != Kind::kString || !since || !done) {
        return std::nullopt;
    }
    std::optional<CoveredSpans> spans = read_spans(*done);
    if (!spans) {
        return std::nullopt;
    }
    return HistoryProgress{std::string(of->string()), *since, *std::move(spans)};
}

}  // namespace kpid::ingest
