// Pushes by HTTP: decode, append, answer.
#include "ingest/push_sink.h"

#include "kpid/wire/push_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

Result<void> check_key(std::string_view key) {
    if (key.size() > PushSink::kIdempotencyKeyBytesMax) {
        return invalid_argument(fmt::format("Idempotency-Key is longer than {} bytes",
                                            PushSink::kIdempotencyKeyBytesMax));
    }
    const bool is_printable =
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!is_printable) {
        return invalid_argument(
            "Idempotency-Key may hold visible ASCII characters only, without blanks");
    }
    return {};
}

PushOutcome outcome_of(const wire::PushBody& body) {
    PushOutcome outcome{.accepted = body.samples.size()};
    for (const wire::PushItemError& error : body.errors) {
        outcome.rejected.push_back({error.index, error.error});
    }
    return outcome;
}

// What storage refused is taken from what was accepted. Reserved names are not the sender's error.
void refuse(const model::AppendResult& result, const wire::PushBody& body, PushOutcome& outcome) {
    for (const model::Rejection& rejection : result.rejected) {
        if (rejection.reason != model::RejectReason::kReserved) {
            --outcome.accepted;
            outcome.rejected.push_back({body.indexes[rejection.index], rejection.message});
        }
    }
    std::stable_sort(outcome.rejected.begin(), outcome.rejected.end(),
                     [](const auto& a, const auto& b) { return a.index < b.index; });
}

const model::Rejection* first_limited(const model::AppendResult& result) {
    const auto found = std::find_if(
        result.rejected.begin(), result.rejected.end(),
        [](const auto& rejection) { return rejection.reason == model::RejectReason::kLimit; });
    return found == result.rejected.end() ? nullptr : &*found;
}

// Samples found a limit of the store: what was sent may be stored later.
bool is_limited(const model::AppendResult& result) {
    return first_limited(result) != nullptr;
}

Error limit_error(const model::AppendResult& result) {
    return resource_exhausted("nothing was stored: " + first_limited(result)->message);
}

}  // namespace

PushSink::PushSink(model::Appender& appender, model::StateStore& state, const Clock& clock,
                   Metrics& metrics)
    : appender_(appender),
      state_(state),
      clock_(clock),
      metrics_(metrics),
      keys_(state, kIdempotencyRetention) {
}

Result<PushOutcome> PushSink::push_json(std::string_view body, std::string_view idempotency_key) {
    KPID_CHECK_OK(check_key(idempotency_key));
    const Timestamp now = clock_.wall_now();
    if (idempotency_key.empty()) {
        return push_once(body, now, {});
    }
    const std::string key(idempotency_key);
    const IdempotencyKeys::Claim claim(keys_, key);
    KPID_TRY(std::optional<PushOutcome> known, keys_.find(key, now));
    if (known) {
        metrics_.push_repeats.Increment();
        return *std::move(known);
    }
    return push_once(body, now, key);
}

Result<PushOutcome> PushSink::push_once(std::string_view text, Timestamp now,
                                        const std::string& key) {
    ProtocolCounters& counters = metrics_.of(Protocol::kPush);
    const Result<wire::PushBody> decoded = wire::decode_push_json(text, now);
    if (!decoded) {
        counters.count_malformed(1);
        return decoded.error();
    }
    const wire::PushBody& body = *decoded;
    PushOutcome outcome = outcome_of(body);
    std::vector<model::StateWrite> writes;
    if (!key.empty()) {
        KPID_TRY(writes, keys_.make_writes(key, now, outcome));
    }
    counters.count_malformed(body.errors.size());
    if (body.samples.empty() && writes.empty()) {
        return outcome;
    }
    const Result<model::AppendResult> stored =
        appender_.append({.samples = body.samples, .state = writes, .now = now});
    if (!stored) {
        metrics_.store_failures.Increment();
        return stored.error();
    }
    counters.count(*stored);
    if (stored->accepted == 0 && is_limited(*stored)) {
        // To be sent again, with the same key too.
        for (model::StateWrite& write : writes) {
            write.value.reset();
        }
        KPID_CHECK_OK(state_.write(writes));
        return limit_error(*stored);
    }
    if (!key.empty()) {
        keys_.written(key, now);
    }
    if (!stored->rejected.empty()) {
        refuse(*stored, body, outcome);
        // What storage refuses is known only now. The key itself is safe already; should this write
        // fail, a repeated request is told that all was accepted.
        if (!key.empty()) {
            KPID_TRY(writes, keys_.make_writes(key, now, outcome));
            if (!state_.write(writes)) {
                metrics_.store_failures.Increment();
            }
        }
    }
    return outcome;
}

Result<void> PushSink::import_text(std::string_view body, wire::ExpositionFormat format) {
    const Timestamp now = clock_.wall_now();
    Result<wire::ParsedExposition> text = wire::parse_exposition(body, {.format = format});
    if (!text) {
        metrics_.of(Protocol::kText).count_malformed(1);
        return text.error();
    }
    wire::ParsedExposition& parsed = *text;
    std::erase_if(parsed.samples, [](const wire::ParsedSample& each) { return each.is_created; });
    std::vector<model::SeriesSample> samples;
    samples.reserve(parsed.samples.size());
    for (const wire::ParsedSample& sample : parsed.samples) {
        samples.push_back({sample.labels, sample.time.value_or(now), sample.value});
    }
    if (samples.empty()) {
        return {};
    }
    const Result<model::AppendResult> stored =
        appender_.append({.samples = samples, .now = now, .all_or_nothing = true});
    if (!stored) {
        metrics_.store_failures.Increment();
        return stored.error();
    }
    metrics_.of(Protocol::kText).count(*stored);
    if (is_limited(*stored)) {
        return limit_error(*stored);
    }
    const model::Rejection* first = nullptr;
    std::size_t refused = 0;
    for (const model::Rejection& rejection : stored->rejected) {
        if (rejection.reason != model::RejectReason::kReserved) {
            first = first == nullptr ? &rejection : first;
            ++refused;
        }
    }
    if (first != nullptr) {
        return invalid_argument(
            fmt::format("nothing was stored; {} of {} samples cannot be; line {}: {}", refused,
                        samples.size(), parsed.samples[first->index].line, first->message));
    }
    return {};
}

Result<void> PushSink::sweep_idempotency_keys() {
    return keys_.sweep(clock_.wall_now());
}

}  // namespace kpid::ingest
