// A storage on a disk that turns bits, cannot be read, runs full and loses power: what it answers
// is right, or an error, and samples are missing only where something was damaged for good.

#include "storage/chunk_codec.h"
#include "storage/chunked_samples.h"
#include "storage/definition.h"
#include "storage/record.h"
#include "storage/storage_fixture.h"
#include "support/effort.h"
#include "support/faulty_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kpid::storage {
namespace {

using testing::FaultPlan;
using testing::FaultyDisk;

constexpr Duration kRetention = std::chrono::hours(6);
constexpr Duration kInterval = std::chrono::seconds(10);
constexpr std::array kNames{"a", "b", "c", "event"};
constexpr std::uint64_t kSteps = 500;
// Entries of one series that are damaged at once.
constexpr int kAsideMax = 100;

/// Each step does one thing and then compares what is read with what was acknowledged. Expectations
/// fail with the seed and the number of the step.
class DamageSimulation {
public:
    /// What was seen to happen, so that the test can tell that it tests something.
    struct Tally {
        std::uint64_t accepted = 0;
        std::uint64_t failed = 0;
        std::uint64_t refused = 0;
        std::uint64_t reopened = 0;
        std::uint64_t taken_back = 0;
        std::uint64_t failed_reads = 0;
        std::uint64_t missing = 0;
        std::uint64_t quarantined = 0;
        std::uint64_t logged = 0;
    };

    DamageSimulation(std::uint64_t seed, Tally& tally) : seed_(seed), random_(seed), tally_(tally) {
        options_.path = "unused";
        options_.retention = kRetention;
        options_.retention_recorded = kRetention;
        options_.out_of_order_window = kRetention;
        options_.sealed_bytes_in_memory_max = once_in(3) ? 1U << 20U : 0;
        options_.durability = once_in(2) ? Durability::kFsync : Durability::kProcess;
        calm();
        open();
    }

    /// False once an expectation failed.
    [[nodiscard]] bool run(std::uint64_t steps) {
        for (step_ = 1; step_ <= steps; ++step_) {
            SCOPED_TRACE(fmt::format("seed {}, step {}", seed_, step_));
            step();
            if (::testing::Test::HasFailure()) {
                for (const std::string& line : history_) {
                    fmt::print(stderr, "{}\n", line);
                }
                return false;
            }
        }
        return true;
    }

private:
    using Times = std::set<Timestamp>;
    using Samples = std::vector<std::pair<std::string, Timestamp>>;
    using Found = std::map<std::string, Times>;
    /// Samples that may be missing from now on.
    struct Loss {
        std::string name;
        model::TimeRange range;
        bool is_damage = true;  ///< Else a deletion that failed may have taken them.
    };
    /// An append since the last power cut.
    struct Unsynced {
        Samples samples;
        bool failed = false;
    };

    [[nodiscard]] std::uint64_t pick(std::uint64_t count) { return random_() % count; }
    [[nodiscard]] bool once_in(std::uint64_t count) { return pick(count) == 0; }
    [[nodiscard]] std::string some_name() { return kNames[pick(kNames.size())]; }
    [[nodiscard]] Timestamp some_time() {
        return now_ - Duration(static_cast<std::int64_t>(
                          pick(static_cast<std::uint64_t>(kRetention.count()) * 9 / 10)));
    }
    [[nodiscard]] static double value_of(const std::string& name, Timestamp time) {
        return static_cast<double>((time.ms() % 100'003) + name[0]) / 4;
    }
    void note(std::string what) {
        history_.push_back(fmt::format("step {}: {}", step_, what));
        if (history_.size() > 12) {
            history_.pop_front();
        }
    }

    void step() {
        now_ += kInterval * static_cast<std::int64_t>(pick(once_in(40) ? 500 : 6));
        if (once_in(6)) {
            set_weather();
        }
        switch (pick(32)) {
            case 0:
                reopen(once_in(2));
                break;
            case 1:
            case 2:
                maintain();
                break;
            case 3:
            case 4:
            case 5:
                checkpoint();
                break;
            case 6:
                damage();
                break;
            case 7:
                turn_bit_of_chunk();
                break;
            case 8:
                erase();
                break;
            case 9:
                read_log();
                break;
            case 10:
                disk_.heal();
                break;
            default:
                append();
                break;
        }
        compare(some_name(), once_in(12) ? model::TimeRange{} : some_range());
        if (once_in(4)) {
            calm();
        }
        if (once_in(60)) {
            compare_all();
        }
    }

    [[nodiscard]] model::TimeRange some_range() {
        const Timestamp start = some_time();
        return {start, start + kInterval * static_cast<std::int64_t>(pick(600))};
    }

    void calm() {
        is_calm_ = true;
        disk_.set_plan({.seed = random_(), .forgets_unsynced = true});
    }
    void set_weather() {
        FaultPlan plan{.seed = random_(), .forgets_unsynced = true};
        plan.reads_well_again = true;
        plan.flipped_table = LogTable::kChunks;  // The others have no checksums of their own.
        is_calm_ = false;
        switch (pick(6)) {
            case 0:
                plan.write_refused = 0.5;
                break;
            case 1:
                plan.write_answer_lost = 0.5;
                break;
            case 2:
                plan.read_unavailable = 0.2;
                break;
            case 3:
                plan.read_damaged = 0.1;
                break;
            case 4:
                plan.bit_flipped = 0.2;
                break;
            default:
                plan.bytes_max = bytes_on_disk() + pick(4000);
                break;
        }
        note(fmt::format("weather {} {} {} {} {} {}", plan.write_refused, plan.write_answer_lost,
                         plan.read_unavailable, plan.read_damaged, plan.bit_flipped,
                         plan.bytes_max));
        disk_.set_plan(plan);
    }
    [[nodiscard]] std::size_t bytes_on_disk() {
        std::size_t bytes = 0;
        for (const std::uint64_t table : (*disk_.opener()("unused"))->stats().table_bytes) {
            bytes += table;
        }
        return bytes;
    }

    void open() {
        auto opened = Storage::open(options_, disk_.opener());
        if (!opened) {
            EXPECT_FALSE(is_calm_) << opened.error().message;
            calm();
            opened = Storage::open(options_, disk_.opener());
        }
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
        storage_->declare_kinds({{"event", model::MetricKind::kEvent}});
        // A power cut may have taken records that were read.
        log_position_ = std::min(log_position_, storage_->log_end());
        storage_->hold_log("simulation", log_position_);
        calm();
        maintain();
    }

    void reopen(bool cuts_power) {
        ++tally_.reopened;
        note(cuts_power ? "power cut" : "reopen");
        tally_.quarantined += storage_->stats().quarantined_total;
        storage_.reset();
        if (cuts_power) {
            disk_.power_cut();
        }
        note_losses_of_restart();
        open();
        if (storage_ != nullptr) {
            // What was not acknowledged may have come back, what was not synced may have gone.
            take_back(cuts_power);
            compare_all();
        }
    }

    void append() {
        const std::string name = some_name();
        Times& held = held_[name];
        std::vector<model::SeriesSample> samples;
        Timestamp time = held.empty() ? now_ - kInterval * 100 : *held.rbegin();
        const bool is_late = once_in(5);
        for (std::uint64_t i = once_in(4) ? pick(200) : pick(30); i > 0; --i) {
            time = is_late ? some_time() : std::max(time, now_ - kRetention * 9 / 10) + kInterval;
            if (time > now_) {
                break;
            }
            // A second event of an instant would be another one.
            if (name != "event" || (!held.contains(time) && !failed_events_.contains(time) &&
                                    !uncertain_[name].contains(time))) {
                samples.push_back(sample_of(name, time, value_of(name, time)));
            }
        }
        if (name == "event" && is_late) {
            samples.resize(std::min<std::size_t>(samples.size(), 1));
        }
        const auto result = append_to(*storage_, samples, {}, now_);
        note(fmt::format("append {} of {} at {}: {}", samples.size(), name,
                         samples.empty() ? 0 : samples[0].time.ms(),
                         result ? "done" : result.error().message));
        if (!result) {
            ++tally_.failed;
            EXPECT_FALSE(is_calm_) << result.error().message;
            EXPECT_TRUE(is_disk_error(result.error())) << result.error().message;
            unsynced_.push_back({keys_of(samples), true});
            failed_.push_back(keys_of(samples));
            if (name == "event") {
                for (const model::SeriesSample& sample : samples) {
                    failed_events_.insert(sample.time);
                }
            }
            return;
        }
        std::set<std::size_t> refused;
        for (const model::Rejection& rejection : result->rejected) {
            refused.insert(rejection.index);
            EXPECT_TRUE(!is_calm_ || was_unreadable_ || is_unreadable()) << rejection.message;
        }
        EXPECT_EQ(result->accepted + refused.size(), samples.size());
        Samples accepted;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            if (!refused.contains(i) && held.insert(samples[i].time).second) {
                accepted.emplace_back(name, samples[i].time);
            }
        }
        tally_.accepted += accepted.size();
        tally_.refused += refused.size();
        if (!accepted.empty()) {
            failed_.clear();  // Written, and with it what undoes them.
        }
        unsynced_.push_back({std::move(accepted), false});
    }

    static Samples keys_of(const std::vector<model::SeriesSample>& samples) {
        Samples keys;
        for (const model::SeriesSample& sample : samples) {
            keys.emplace_back(sample.labels.metric_name(), sample.time);
        }
        return keys;
    }
    static bool is_disk_error(const Error& error) {
        return error.code == Code::kUnavailable || error.code == Code::kDataLoss;
    }

    void checkpoint() {
        const auto done = storage_->checkpoint(now_);
        note(fmt::format("checkpoint: {}", done ? "done" : done.error().message));
        if (!done) {
            EXPECT_FALSE(is_calm_) << done.error().message;
            EXPECT_TRUE(is_disk_error(done.error())) << done.error().message;
        }
    }

    void maintain() {
        high_floor_ = std::max(high_floor_, now_ - kRetention);
        const auto done = storage_->maintain(now_);
        note(fmt::format("maintain: {}", done ? "done" : done.error().message));
        if (!done) {
            EXPECT_FALSE(is_calm_) << done.error().message;
            EXPECT_TRUE(is_disk_error(done.error())) << done.error().message;
            return;
        }
        low_floor_ = high_floor_;
        for (auto& [name, times] : held_) {
            times.erase(times.begin(), times.lower_bound(low_floor_));
        }
    }

    void erase() {
        if (options_.durability != Durability::kFsync) {
            return;  // A power cut might undo it.
        }
        const std::string name = some_name();
        const model::TimeRange range = some_range();
        const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", name)};
        const auto deleted = storage_->delete_series(matchers, range);
        note(fmt::format("delete {} from {} to {}: {}", name, range.start.ms(), range.end.ms(),
                         deleted ? "done" : deleted.error().message));
        Times& held = held_[name];
        if (!deleted) {
            EXPECT_TRUE(!is_calm_ || deleted.error().code == Code::kDataLoss);
            losses_.push_back({name, range, false});
            return;
        }
        held.erase(held.lower_bound(range.start), held.upper_bound(range.end));
    }

    void read_log() {
        for (int pieces = 0; pieces < 400; ++pieces) {
            const auto piece = storage_->read_log(log_position_, 1 + pick(500));
            if (!piece) {
                EXPECT_FALSE(is_calm_) << piece.error().message;
                return;
            }
            for (const model::LoggedSample& logged : piece->samples) {
                const std::string name(logged.labels.metric_name());
                EXPECT_EQ(logged.sample.value, value_of(name, logged.sample.time));
                ++tally_.logged;
            }
            if (piece->next == log_position_) {
                break;
            }
            log_position_ = piece->next;
        }
        // It does not stay before a damaged record.
        const auto records = disk_.copy_of(LogTable::kSamples);
        EXPECT_EQ(records.lower_bound(encode_key(log_position_)),
                  records.lower_bound(encode_key(storage_->log_end())));
        storage_->hold_log("simulation", log_position_);
    }

    // What is damaged for good.

    void damage() {
        constexpr std::array kTables{LogTable::kChunks, LogTable::kVersions, LogTable::kOpen,
                                     LogTable::kSamples, LogTable::kSeries};
        const LogTable table = kTables[pick(kTables.size())];
        const auto entries = disk_.copy_of(table);
        if (entries.empty()) {
            return;
        }
        const auto entry =
            std::next(entries.begin(), static_cast<std::ptrdiff_t>(pick(entries.size())));
        if (table == LogTable::kSeries && (entry == entries.begin() || !once_in(4))) {
            return;  // The first one is what the storage keeps about itself.
        }
        note(fmt::format("damage an entry of {}", to_string(table)));
        disk_.damage(table, entry->first);
    }

    void turn_bit_of_chunk() {
        const auto chunks = disk_.copy_of(LogTable::kChunks);
        if (chunks.empty()) {
            return;
        }
        const auto entry =
            std::next(chunks.begin(), static_cast<std::ptrdiff_t>(pick(chunks.size())));
        const auto place = decode_time_key(entry->first);
        const auto info = read_chunk_header(entry->second);
        const std::string name = name_of(place->series.value());
        note(fmt::format("turn a bit of a chunk of {}", name));
        if (info && !name.empty()) {
            losses_.push_back({name, {info->first, info->last}});
        }
        disk_.turn_bit(LogTable::kChunks, entry->first, pick(1U << 20U));
    }

    /// Entries that are read at a start.
    void note_losses_of_restart() {
        names_.clear();  // After a power cut numbers are given again.
        const bool unreadable = is_unreadable();
        was_unreadable_ = was_unreadable_ || unreadable;
        const auto lose = [&](std::uint64_t id, model::TimeRange range) {
            if (const std::string name = name_of(id); !name.empty()) {
                losses_.push_back({name, range});
            }
        };
        for (const auto& [key, value] : disk_.copy_of(LogTable::kSeries)) {
            if (disk_.is_damaged(LogTable::kSeries, key)) {
                for (std::uint64_t i = 0; i < kDefinitionBlockMax; ++i) {
                    lose(*decode_key(key) + i, {});
                }
            }
        }
        for (const auto& [key, value] : disk_.copy_of(LogTable::kOpen)) {
            const auto open = decode_open_entry(value);
            if (disk_.is_damaged(LogTable::kOpen, key) && !open->chunk.empty()) {
                const auto info = read_chunk_header(open->chunk);
                lose(*decode_key(key), {info->first, info->last});
            }
        }
        for (const auto& [key, value] : disk_.copy_of(LogTable::kSamples)) {
            // A late one cannot come back beside a chunk that cannot be read.
            if (unreadable || disk_.is_damaged(LogTable::kSamples, key)) {
                const auto record = decode_record(value);
                for (const RecordSample& sample : record->samples) {
                    lose(sample.series.value(), {sample.time, sample.time});
                }
            }
        }
    }

    [[nodiscard]] std::string name_of(std::uint64_t id) {
        if (!names_.contains(id)) {
            for (const auto& [key, value] : disk_.copy_of(LogTable::kSeries)) {
                DefinitionBlock block;
                if (*decode_key(key) == 0 || !decode_definitions(value, block)) {
                    continue;
                }
                for (std::size_t i = 0; i < block.size(); ++i) {
                    if (!block.labels(i).empty()) {
                        names_[*decode_key(key) + i] = std::string(block.labels(i)[0].value);
                    }
                }
            }
        }
        return names_[id];
    }
    [[nodiscard]] bool is_unreadable() const {
        for (const LogTable table : {LogTable::kChunks, LogTable::kVersions}) {
            for (const auto& [key, value] : disk_.copy_of(table)) {
                if (disk_.is_damaged(table, key)) {
                    return true;
                }
            }
        }
        return false;
    }

    // What is read.

    void compare_all() {
        calm();
        for (const char* name : kNames) {
            compare(name, {});
        }
        EXPECT_LT(storage_->stats().samples_in_memory, 1U << 30U);
        EXPECT_LT(storage_->stats().sample_bytes_in_memory, 1U << 30U);
    }

    void compare(const std::string& name, model::TimeRange range) {
        const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", name)};
        auto got = storage_->select(matchers, range, {});
        if (!got) {
            ++tally_.failed_reads;
            EXPECT_TRUE(is_disk_error(got.error())) << got.error().message;
            if (!is_calm_ || is_unreadable()) {
                return;
            }
            // What is damaged is set aside, one entry after the other.
            for (int attempt = 0; attempt < kAsideMax && !got; ++attempt) {
                maintain();
                got = storage_->select(matchers, range, {});
            }
            ASSERT_TRUE(got.has_value()) << got.error().message;
        }
        Times found;
        ASSERT_LE(got->size(), 1U);
        for (const model::SeriesColumns& columns : *got) {
            EXPECT_TRUE(std::is_sorted(columns.times.begin(), columns.times.end()));
            for (std::size_t i = 0; i < columns.times.size(); ++i) {
                EXPECT_TRUE(found.insert(columns.times[i]).second) << "twice";
                EXPECT_EQ(columns.values[i], value_of(name, columns.times[i]));
            }
        }
        const Times& held = held_[name];
        for (const Timestamp time : found) {
            EXPECT_TRUE(held.contains(time) || uncertain_[name].contains(time) ||
                        time < high_floor_)
                << name << " " << time.ms();
        }
        const Timestamp start = std::max(range.start, high_floor_);
        for (auto time = held.lower_bound(start); time != held.end() && *time <= range.end;
             ++time) {
            if (!found.contains(*time)) {
                ++tally_.missing;
                EXPECT_TRUE(may_be_missing(name, *time)) << name << " " << time->ms();
            }
        }
    }

    [[nodiscard]] bool may_be_missing(const std::string& name, Timestamp time) const {
        return std::any_of(losses_.begin(), losses_.end(), [&](const Loss& loss) {
            return loss.name == name && loss.range.start <= time && time <= loss.range.end &&
                   (!loss.is_damage || disk_.entries(LogTable::kQuarantine) > 0);
        });
    }

    /// After a restart: takes over what came back, and what a power cut took.
    void take_back(bool cuts_power) {
        Found found;
        for (const char* name : kNames) {
            const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", name)};
            auto got = storage_->select(matchers, {}, {});
            if (!got && is_unreadable()) {
                disk_.heal();
            }
            for (int attempt = 0; attempt < kAsideMax && !got; ++attempt) {
                maintain();
                got = storage_->select(matchers, {}, {});
            }
            ASSERT_TRUE(got.has_value()) << got.error().message;
            for (const model::SeriesColumns& columns : *got) {
                found[name].insert(columns.times.begin(), columns.times.end());
            }
        }
        std::set<std::pair<std::string, Timestamp>> failed;
        for (const Unsynced& one : unsynced_) {
            if (one.failed) {
                failed.insert(one.samples.begin(), one.samples.end());
            }
        }
        const auto count = [&](const Samples& samples) {
            std::size_t there = 0;
            std::size_t sure = 0;
            for (const auto& [name, time] : samples) {
                const bool is_sure = time >= high_floor_ && !uncertain_[name].contains(time) &&
                                     held_[name].contains(time) && !failed.contains({name, time}) &&
                                     !may_be_missing(name, time);
                sure += is_sure ? 1U : 0U;
                there += is_sure && found[name].contains(time) ? 1U : 0U;
            }
            EXPECT_TRUE(there == 0 || there == sure) << "part of a batch";
            return std::pair(there, sure);
        };
        const auto keep = [&](const Samples& samples) {
            for (const auto& [name, time] : samples) {
                if (found[name].contains(time)) {
                    held_[name].insert(time);
                }
            }
        };
        for (const Samples& samples : failed_) {
            keep(samples);
        }
        if (cuts_power) {
            take_over_cut(count, keep, found);
            unsynced_.clear();
        }
        failed_.clear();
    }

    template <class Count, class Keep>
    void take_over_cut(const Count& count, const Keep& keep, Found& found) {
        bool is_lost = false;
        for (const Unsynced& one : unsynced_) {
            if (one.failed) {
                // A restart before the cut may have brought it back.
                for (const auto& [name, time] : one.samples) {
                    if (!found[name].contains(time)) {
                        held_[name].erase(time);
                    }
                }
                keep(one.samples);
                continue;
            }
            const auto [there, sure] = count(one.samples);
            EXPECT_FALSE(is_lost && there > 0)
                << "a batch survived one that came before it: " << one.samples[0].first << " at "
                << one.samples[0].second.ms();
            if (there == 0 && sure > 0) {
                note(fmt::format("lost {} samples of {} from {}", sure, one.samples[0].first,
                                 one.samples[0].second.ms()));
                EXPECT_EQ(options_.durability, Durability::kProcess);
                is_lost = true;
            }
            for (const auto& [name, time] : one.samples) {
                if ((is_lost || sure == 0) && !found[name].contains(time)) {
                    held_[name].erase(time);
                    ++tally_.taken_back;
                    if (may_be_missing(name, time)) {
                        uncertain_[name].insert(time);
                    }
                }
            }
        }
    }

    const std::uint64_t seed_;
    std::mt19937_64 random_;
    Tally& tally_;
    StorageOptions options_;
    FaultyDisk disk_;
    Timestamp now_ = kNow;
    std::uint64_t step_ = 0;
    bool is_calm_ = true;
    bool was_unreadable_ = false;  ///< At a start, which then guessed where series end.
    std::unique_ptr<Storage> storage_;

    Found held_;  ///< What was acknowledged.
    /// Damaged when a power cut came, which may as well have taken the damage back.
    Found uncertain_;
    std::vector<Loss> losses_;
    std::vector<Samples> failed_;  ///< Since the last write that went well.
    std::vector<Unsynced> unsynced_;
    Times failed_events_;                         ///< May come back with a restart.
    std::map<std::uint64_t, std::string> names_;  ///< By the series' number.
    Timestamp low_floor_ = Timestamp::min();      ///< What is older is gone.
    Timestamp high_floor_ = Timestamp::min();     ///< What is older may be gone.
    std::uint64_t log_position_ = 0;
    std::deque<std::string> history_;
};

TEST(StorageDamage, NeverAnswersWronglyOnADiskThatIsDamaged) {
    DamageSimulation::Tally tally;
    const std::uint64_t first = testing::first_seed();
    for (std::uint64_t seed = first; seed < first + testing::effort(20, 2000); ++seed) {
        DamageSimulation simulation(seed, tally);
        ASSERT_TRUE(simulation.run(kSteps)) << "seed " << seed;
    }
    // It has seen what it is there for.
    EXPECT_GT(tally.accepted, 50'000U);
    EXPECT_GT(tally.failed, 20U);
    EXPECT_GT(tally.refused, 0U);
    EXPECT_GT(tally.reopened, 100U);
    EXPECT_GT(tally.taken_back, 100U);
    EXPECT_GT(tally.failed_reads, 50U);
    EXPECT_GT(tally.missing, 1000U);
    EXPECT_GT(tally.quarantined, 50U);
    EXPECT_GT(tally.logged, 10'000U);
}

}  // namespace
}  // namespace kpid::storage
