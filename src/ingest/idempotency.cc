// The keys of pushes in the state store.
#include "ingest/idempotency.h"

#include "kpid/base/json_writer.h"
#include "kpid/wire/json_document.h"

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::string_view kPrefix = "ingest/idempotency/";
constexpr std::string_view kTime = "time";
constexpr std::string_view kAccepted = "accepted";
constexpr std::string_view kRejected = "rejected";
constexpr std::string_view kIndex = "index";
constexpr std::string_view kError = "error";

struct Remembered {
    Timestamp time;
    PushOutcome outcome;
};

std::string encode(Timestamp time, const PushOutcome& outcome) {
    JsonWriter json;
    json.begin_object().key(kTime).number(time.ms()).key(kAccepted).number(outcome.accepted);
    json.key(kRejected).begin_array();
    const std::size_t count = std::min(outcome.rejected.size(), IdempotencyKeys::kRefusalsMax);
    for (std::size_t i = 0; i < count; ++i) {
        const PushOutcome::Refusal& refusal = outcome.rejected[i];
        json.begin_object().key(kIndex).number(refusal.index);
        json.key(kError).string(refusal.error).end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

double number_of(const wire::JsonValue& object, std::string_view name) {
    const auto member = object.member(name);
    const bool is_number = member && member->kind() == wire::JsonValue::Kind::kNumber;
    return is_number ? member->number() : 0;
}

// An entry that cannot be read is one that is not there.
std::optional<Remembered> decode(std::string_view text) {
    const Result<wire::JsonDocument> document = wire::JsonDocument::parse(text);
    if (!document || document->root().kind() != wire::JsonValue::Kind::kObject) {
        return std::nullopt;
    }
    const wire::JsonValue root = document->root();
    Remembered remembered;
    remembered.time = Timestamp(static_cast<std::int64_t>(number_of(root, kTime)));
    remembered.outcome.accepted = static_cast<std::size_t>(number_of(root, kAccepted));
    if (const auto rejected = root.member(kRejected)) {
        rejected->for_each([&](std::string_view, const wire::JsonValue& item) {
            const auto error = item.member(kError);
            const bool is_text = error && error->kind() == wire::JsonValue::Kind::kString;
            remembered.outcome.rejected.push_back(
                {static_cast<std::size_t>(number_of(item, kIndex)),
                 is_text ? std::string(error->string()) : std::string()});
        });
    }
    return remembered;
}

std::string state_key(std::string_view key) {
    return std::string(kPrefix).append(key);
}

}  // namespace

IdempotencyKeys::Claim::Claim(IdempotencyKeys& keys, std::string key)
    : keys_(keys), key_(std::move(key)) {
    const MutexLock lock(keys_.mutex_);
    while (!keys_.claimed_.insert(key_).second) {
        keys_.released_.wait(keys_.mutex_);
    }
}

IdempotencyKeys::Claim::~Claim() {
    {
        const MutexLock lock(keys_.mutex_);
        keys_.claimed_.erase(key_);
    }
    keys_.released_.notify_all();
}

Result<std::optional<PushOutcome>> IdempotencyKeys::find(const std::string& key, Timestamp now) {
    KPID_TRY(const std::optional<std::string> stored, state_.get(state_key(key)));
    const std::optional<Remembered> remembered = stored ? decode(*stored) : std::nullopt;
    if (!remembered || now - remembered->time >= retention_) {
        return std::optional<PushOutcome>();
    }
    return std::optional<PushOutcome>(remembered->outcome);
}

Result<std::vector<model::StateWrite>> IdempotencyKeys::make_writes(const std::string& key,
                                                                    Timestamp now,
                                                                    const PushOutcome& outcome) {
    std::vector<model::StateWrite> writes{{state_key(key), encode(now, outcome)}};
    const MutexLock lock(mutex_);
    KPID_CHECK_OK(load());
    while (by_age_.size() >= kKeysMax) {
        if (by_age_.front().second != key) {
            writes.push_back({state_key(by_age_.front().second), std::nullopt});
        }
        by_age_.pop_front();
    }
    return writes;
}

void IdempotencyKeys::written(const std::string& key, Timestamp now) {
    const MutexLock lock(mutex_);
    by_age_.emplace_back(now, key);
}

Result<void> IdempotencyKeys::sweep(Timestamp now) {
    for (;;) {
        std::vector<Entry> old;
        {
            const MutexLock lock(mutex_);
            KPID_CHECK_OK(load());
            while (old.size() < kSweepBatchMax && !by_age_.empty() &&
                   now - by_age_.front().first >= retention_) {
                old.push_back(std::move(by_age_.front()));
                by_age_.pop_front();
            }
        }
        if (old.empty()) {
            return {};
        }
        std::vector<model::StateWrite> writes;
        for (const Entry& entry : old) {
            // The key may have come again since.
            KPID_TRY(const std::optional<PushOutcome> newer, find(entry.second, now));
            if (!newer) {
                writes.push_back({state_key(entry.second), std::nullopt});
            }
        }
        KPID_CHECK_OK(state_.write(writes));
    }
}

Result<void> IdempotencyKeys::load() {
    if (loaded_) {
        return {};
    }
    KPID_TRY(const auto entries, state_.scan(kPrefix, kKeysMax));
    for (const auto& [key, value] : entries) {
        const std::optional<Remembered> remembered = decode(value);
        by_age_.emplace_back(remembered ? remembered->time : Timestamp(),
                             key.substr(kPrefix.size()));
    }
    std::sort(by_age_.begin(), by_age_.end());
    loaded_ = true;
    return {};
}

}  // namespace kpid::ingest
