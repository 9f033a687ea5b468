// One life of a storage: what is done to it.

#include "storage/storage_simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <utility>

namespace kpid::storage {
namespace {

constexpr Timestamp kStart{1'800'000'000'000};
// Of what may come back with a restart.
constexpr std::size_t kFailedMax = 4;

std::string encode(const model::Labels& labels, bool backwards) {
    std::string bytes;
    for (const model::Label& label : labels) {
        const std::string one = label.name + '=' + label.value + ';';
        bytes = backwards ? one + bytes : bytes + one;
    }
    return bytes;
}

}  // namespace

Result<void> PlainLabelReader::read(std::string_view bytes,
                                    std::vector<model::LabelView>& labels) const {
    labels.clear();
    while (!bytes.empty()) {
        const std::size_t middle = bytes.find('=');
        const std::size_t end = bytes.find(';');
        if (middle == std::string_view::npos || end == std::string_view::npos || middle > end) {
            return invalid_argument("not label bytes");
        }
        labels.push_back({bytes.substr(0, middle), bytes.substr(middle + 1, end - middle - 1)});
        bytes.remove_prefix(end + 1);
    }
    std::sort(labels.begin(), labels.end());
    return {};
}

StorageSimulation::StorageSimulation(const Setup& setup)
    : setup_(setup), random_(setup.seed), now_(kStart) {
    using std::chrono::hours;
    using std::chrono::minutes;
    options_.path = setup_.path;
    options_.retention = std::array<Duration, 3>{hours(3), hours(30), hours(24 * 9)}[pick(3)];
    options_.retention_recorded = options_.retention * static_cast<std::int64_t>(1 + pick(3));
    options_.out_of_order_window =
        std::array<Duration, 4>{Duration(0), minutes(10), hours(1), options_.retention}[pick(4)];
    options_.sealed_bytes_in_memory_max = std::array<std::size_t, 3>{0, 2000, 1U << 20U}[pick(3)];
    // About so many samples of a series are kept, from one to a few chunks.
    interval_ = options_.retention / static_cast<std::int64_t>(300 + pick(2500));
    model_.emplace(options_);
    open();
}

Timestamp StorageSimulation::some_time(Timestamp low, Timestamp high) {
    const auto width = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (high - low).count()));
    return low + Duration(static_cast<std::int64_t>(pick(width + 1)));
}

model::TimeRange StorageSimulation::some_range() {
    const Timestamp oldest = now_ - options_.retention_recorded - interval_;
    switch (pick(6)) {
        case 0:
            return {};
        case 1:
            return {some_time(oldest, now_), Timestamp::max()};
        case 2:
            return {Timestamp::min(), some_time(oldest, now_)};
        case 3: {
            const Timestamp time = some_time(now_ - options_.retention, now_);
            return {time, time + interval_ * static_cast<std::int64_t>(pick(20))};
        }
        default:
            break;
    }
    const Timestamp start = some_time(now_ - options_.retention, now_);
    return {start, some_time(start, now_ + interval_)};
}

model::Labels StorageSimulation::some_labels() {
    constexpr std::array<std::string_view, 6> kNames{"gauge",          "total", "event",
                                                     "kpid_kpi_value", "gauge", "mixed"};
    const std::string_view name = kNames[pick(kNames.size())];
    return {{model::kMetricName, name},
            {"job", fmt::format("j{}", pick(2))},
            {"zone", name == "gauge" && once_in(3) ? "z" : ""}};
}

std::vector<model::Matcher> StorageSimulation::some_matchers() {
    using model::Matcher;
    using model::MatchType;
    const model::Labels labels = some_labels();
    switch (pick(6)) {
        case 0:
            return {};
        case 1:
            return {Matcher::equal("job", labels.get("job"))};
        case 2:
            return {*Matcher::make(MatchType::kRegexp, "__name__", "(gauge|event|kpid_.*)")};
        case 3:
            return {*Matcher::make(MatchType::kNotEqual, "zone", "z"),
                    *Matcher::make(MatchType::kNotRegexp, "__name__", "t.*")};
        default:
            break;
    }
    std::vector<Matcher> matchers;
    for (const model::Label& label : labels) {
        matchers.push_back(Matcher::equal(label.name, label.value));
    }
    return matchers;
}

double StorageSimulation::some_value() {
    constexpr std::array<double, 6> kOdd{0,
                                         -0.0,
                                         std::numeric_limits<double>::infinity(),
                                         std::numeric_limits<double>::quiet_NaN(),
                                         5e-324,
                                         -1e308};
    switch (pick(8)) {
        case 0:
            return once_in(3) ? model::stale_marker() : kOdd[pick(kOdd.size())];
        case 1:
            return static_cast<double>(pick(3));
        case 2:
            return std::bit_cast<double>(random_());
        case 3:
        case 4:
            return static_cast<double>(pick(100'000)) / 100;
        default:
            return static_cast<double>((now_ - kStart).count() / 1000 +
                                       static_cast<std::int64_t>(pick(50)));
    }
}

bool StorageSimulation::run(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
        ++step_;
        const std::string trace = fmt::format("seed {}, step {}", setup_.seed, step_);
        const ::testing::ScopedTrace scoped(__FILE__, __LINE__, trace);
        step();
        if (::testing::Test::HasFailure()) {
            for (const std::string& line : history_) {
                fmt::print(stderr, "{}\n", line);
            }
            return false;
        }
    }
    settle();
    compare_all(*storage_);
    return !::testing::Test::HasFailure();
}

void StorageSimulation::step() {
    now_ += interval_ * static_cast<std::int64_t>(pick(once_in(50) ? 400 : 8));
    if (once_in(12)) {
        fail_sometimes();
    }
    switch (pick(40)) {
        case 0:
            reopen();
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
            erase();
            break;
        case 7:
            declare();
            break;
        case 8:
        case 9:
            read_log();
            break;
        case 10:
            if (once_in(4)) {
                look_at_snapshot();
            }
            break;
        default:
            append();
            break;
    }
    compare_some();
    compare_kept();
    fail_never();
    if (once_in(30)) {
        compare_all(*storage_);
        compare_stats();
    }
}

void StorageSimulation::note(std::string what) {
    constexpr std::size_t kHistoryMax = 12;
    history_.push_back(fmt::format("step {}: {}", step_, what));
    if (history_.size() > kHistoryMax) {
        history_.pop_front();
    }
}

void StorageSimulation::fail_sometimes() {
    if (setup_.disk == nullptr) {
        return;
    }
    testing::FaultPlan plan{.seed = random_()};
    switch (pick(3)) {
        case 0:
            plan.write_refused = 0.5;
            break;
        case 1:
            plan.write_answer_lost = 0.5;
            break;
        default:
            plan.read_unavailable = 0.2;
            break;
    }
    note(fmt::format("faults {} {} {}", plan.write_refused, plan.write_answer_lost,
                     plan.read_unavailable));
    setup_.disk->set_plan(plan);
}

void StorageSimulation::fail_never() {
    if (setup_.disk != nullptr) {
        setup_.disk->set_plan({});
    }
}

void StorageSimulation::open() {
    const auto try_open = [this] {
        return setup_.disk != nullptr ? Storage::open(options_, setup_.disk->opener())
                                      : Storage::open(options_);
    };
    auto opened = try_open();
    if (!opened) {
        EXPECT_EQ(opened.error().code, Code::kUnavailable) << opened.error().message;
        fail_never();
        opened = try_open();
    }
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    storage_ = *std::move(opened);
    handles_.clear();
    EXPECT_EQ(storage_->stats().quarantined_total, 0U);
    EXPECT_GE(storage_->log_end(), log_position_);
    storage_->hold_log("simulation", log_position_);
    storage_->declare_kinds(model_->kinds);
    // So that the retention holds, as the contract has it.
    fail_never();
    maintain();
}

void StorageSimulation::reopen() {
    ++tally_.reopened;
    note(fmt::format("reopen, {} failed appends", failed_.size()));
    tally_.removed_series += storage_->stats().series_removed_total;
    if (failed_.size() > kFailedMax) {
        settle();
    }
    kept_.clear();
    storage_.reset();
    open();
    if (storage_ != nullptr && !failed_.empty()) {
        try_alternatives();
    }
    if (storage_ != nullptr) {
        compare_all(*storage_);
    }
}

// A restart may bring back one append that was not acknowledged, since the disk may have had it.
void StorageSimulation::try_alternatives() {
    std::vector<StorageModel> alternatives;
    for (const Batch& batch : failed_) {
        bool is_sure = true;
        alternatives.push_back(*model_);
        (void)alternatives.back().append(batch, nullptr, is_sure);
        alternatives.back().raise_floors(now_);
    }
    failed_.clear();
    const auto got = storage_->select({}, {}, {});
    ASSERT_TRUE(got.has_value());
    const std::size_t logged = logged_samples();
    for (StorageModel& one : alternatives) {
        const auto want = one.select({}, {});
        // What is too old to be seen is told by the log alone.
        if (one.log.size() == logged &&
            std::equal(got->begin(), got->end(), want.begin(), want.end(), equal)) {
            note("the disk had a failed append");
            *model_ = one;
            return;
        }
    }
}

std::size_t StorageSimulation::logged_samples() const {
    std::size_t samples = 0;
    for (std::uint64_t position = log_position_;;) {
        const auto piece = storage_->read_log(position, 10'000);
        EXPECT_TRUE(piece.has_value());
        if (!piece || piece->next == position) {
            return samples;
        }
        samples += piece->samples.size();
        position = piece->next;
    }
}

void StorageSimulation::settle() {
    fail_never();
    const std::vector<model::StateWrite> writes{{"simulation/step", std::to_string(step_)}};
    const auto written = storage_->write(writes);
    ASSERT_TRUE(written.has_value()) << written.error().message;
    failed_.clear();
}

void StorageSimulation::add_samples(Batch& batch, const model::Labels& labels) {
    const auto found = model_->series.find(labels);
    const Timestamp newest = found == model_->series.end() || !found->second.newest_high
                                 ? now_ - interval_ * 10
                                 : *found->second.newest_high;
    const auto put = [&](Timestamp time) { batch.samples.push_back({labels, time, some_value()}); };
    const std::uint64_t count = once_in(4) ? 1 + pick(300) : 1 + pick(30);
    if (once_in(8)) {
        // One place in what is there gets many, so that its chunk has to be split.
        const Timestamp place = some_time(now_ - options_.retention, now_);
        const Duration gap = Duration(1 + static_cast<std::int64_t>(pick(3)));
        for (std::uint64_t i = 0; i < 2 * count; ++i) {
            put(place + gap * static_cast<std::int64_t>(i));
        }
    } else if (once_in(3)) {
        const Timestamp oldest = std::max(newest - options_.out_of_order_window - interval_ * 3,
                                          now_ - options_.retention - interval_ * 3);
        for (std::uint64_t i = 0; i < 1 + count / 4; ++i) {
            put(some_time(oldest, newest));
        }
    } else {
        const bool is_old = labels.metric_name().starts_with("kpid_kpi_") && once_in(4);
        Timestamp time =
            std::max(newest, now_ - (is_old ? options_.retention_recorded : options_.retention));
        for (std::uint64_t i = 0; i < count && time <= now_; ++i) {
            time += once_in(6) ? interval_ / 2 + Duration(static_cast<std::int64_t>(pick(1000)))
                               : interval_;
            put(time);
        }
    }
    if (found != model_->series.end() && once_in(4)) {
        // Instants that are taken, with the same value and with others.
        for (auto instant =
                 found->second.instants.lower_bound(some_time(now_ - options_.retention, now_));
             instant != found->second.instants.end() && !once_in(6); ++instant) {
            put(instant->first);
            if (once_in(2)) {
                batch.samples.back().value = instant->second.newest;
            }
        }
    }
}

StorageModel::Batch StorageSimulation::make_batch() {
    Batch batch;
    batch.now = now_;
    batch.origin = once_in(3) ? model::AppendOrigin::kRecorded : model::AppendOrigin::kExternal;
    batch.kind = once_in(5) ? model::MetricKind::kTotal : model::MetricKind::kGauge;
    batch.all_or_nothing = once_in(6);
    if (once_in(6)) {
        batch.window = interval_ * static_cast<std::int64_t>(pick(400));
    }
    std::set<model::Labels> plain;
    for (std::uint64_t i = pick(3); i > 0; --i) {
        plain.insert(some_labels());
    }
    std::set<model::Labels> raw;
    for (std::uint64_t i = pick(3); i > 0; --i) {
        raw.insert(some_labels());
    }
    for (const model::Labels& labels : plain) {
        add_samples(batch, labels);
    }
    if (once_in(20)) {
        batch.samples.push_back({{{"no", "name"}}, now_, 1});
    }
    batch.plain = batch.samples.size();
    for (const model::Labels& labels : raw) {
        if (!plain.contains(labels)) {
            add_samples(batch, labels);
        }
    }
    return batch;
}

Result<model::AppendResult> StorageSimulation::give(const Batch& batch) {
    std::vector<std::vector<model::Sample>> columns;
    std::vector<std::string> bytes;
    for (std::size_t i = batch.plain; i < batch.samples.size(); ++i) {
        const model::SeriesSample& sample = batch.samples[i];
        if (i == batch.plain || batch.samples[i - 1].labels != sample.labels) {
            columns.emplace_back();
            bytes.push_back(encode(sample.labels, once_in(2)));
        }
        columns.back().push_back({sample.time, sample.value});
    }
    std::vector<model::RawSeries> raw;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        raw.push_back({bytes[i], columns[i]});
    }
    std::vector<model::SeriesHandle> handles(once_in(2) ? batch.plain : 0);
    for (std::size_t i = 0; i < handles.size(); ++i) {
        handles[i] = once_in(4) ? model::SeriesHandle() : handles_[batch.samples[i].labels];
    }
    auto result = storage_->append({.samples = std::span(batch.samples).first(batch.plain),
                                    .handles = handles,
                                    .raw = raw,
                                    .label_reader = &reader_,
                                    .origin = batch.origin,
                                    .now = batch.now,
                                    .kind = batch.kind,
                                    .out_of_order_window = batch.window,
                                    .all_or_nothing = batch.all_or_nothing});
    for (std::size_t i = 0; i < handles.size(); ++i) {
        handles_[batch.samples[i].labels] = handles[i];
    }
    return result;
}

void StorageSimulation::append() {
    const Batch batch = make_batch();
    const std::uint64_t commits = storage_->stats().commits_total;
    const auto result = give(batch);
    note(fmt::format("append {} samples{}: {}", batch.samples.size(),
                     batch.all_or_nothing ? ", all or nothing" : "",
                     result ? fmt::format("{} accepted", result->accepted) : "failed"));
    if (result) {
        judge(batch, *result);
        if (storage_->stats().commits_total > commits) {
            failed_.clear();
        }
        return;
    }
    ++tally_.failed;
    EXPECT_EQ(result.error().code, Code::kUnavailable) << result.error().message;
    StorageModel attempt = *model_;
    bool is_sure = true;
    (void)attempt.append(batch, nullptr, is_sure);
    failed_.push_back(batch);
    if (!is_sure) {
        settle();
    }
}

void StorageSimulation::judge(const Batch& batch, const model::AppendResult& result) {
    StorageModel::Verdicts got;
    for (const model::Rejection& rejection : result.rejected) {
        EXPECT_TRUE(got.emplace(rejection.index, rejection.reason).second);
    }
    bool is_sure = true;
    const StorageModel::Verdicts want = model_->append(batch, &got, is_sure);
    const bool is_refused =
        batch.all_or_nothing && std::any_of(want.begin(), want.end(), [](const auto& one) {
            return one.second != model::RejectReason::kReserved;
        });
    const std::size_t accepted = is_refused ? 0 : batch.samples.size() - want.size();
    tally_.accepted += accepted;
    tally_.rejected += want.size();
    EXPECT_EQ(result.accepted, accepted);
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
        const auto a = got.find(i);
        const auto b = want.find(i);
        const bool agrees =
            (a == got.end()) == (b == want.end()) && (a == got.end() || a->second == b->second);
        // Of a batch that is refused whole it is enough to name one reason.
        if (!agrees && !is_refused) {
            ADD_FAILURE() << batch.samples[i].labels.to_string() << " at "
                          << batch.samples[i].time.ms() << ": "
                          << (a == got.end() ? "accepted" : model::to_string(a->second)) << ", not "
                          << (b == want.end() ? "accepted" : model::to_string(b->second));
            return;
        }
    }
}

void StorageSimulation::maintain() {
    auto done = storage_->maintain(now_);
    note(fmt::format("maintain: {}", done.has_value()));
    if (!done) {
        EXPECT_EQ(done.error().code, Code::kUnavailable) << done.error().message;
        model_->raise_floors(now_);
        fail_never();
        done = storage_->maintain(now_);
    }
    ASSERT_TRUE(done.has_value()) << done.error().message;
    model_->raise_floors(now_);
}

void StorageSimulation::checkpoint() {
    const std::uint64_t before = storage_->stats().sealed_bytes_in_memory;
    const auto done = storage_->checkpoint(now_);
    note(fmt::format("checkpoint: {}", done.has_value()));
    if (!done) {
        EXPECT_EQ(done.error().code, Code::kUnavailable) << done.error().message;
        return;
    }
    const std::uint64_t after = storage_->stats().sealed_bytes_in_memory;
    tally_.evicted += before > after ? before - after : 0;
    if (options_.sealed_bytes_in_memory_max == 0) {
        EXPECT_EQ(after, 0U);
    }
}

void StorageSimulation::erase() {
    auto matchers = some_matchers();
    if (matchers.empty()) {
        EXPECT_FALSE(storage_->delete_series(matchers, {}).has_value());
        return;
    }
    const model::TimeRange range = some_range();
    auto deleted = storage_->delete_series(matchers, range);
    const bool failed = !deleted.has_value();
    note(fmt::format("delete {} from {} to {}: {}", matchers.back().to_string(), range.start.ms(),
                     range.end.ms(), failed ? "failed" : std::to_string(*deleted)));
    if (failed) {
        EXPECT_EQ(deleted.error().code, Code::kUnavailable) << deleted.error().message;
        fail_never();
        deleted = storage_->delete_series(matchers, range);
        settle();
    }
    ASSERT_TRUE(deleted.has_value()) << deleted.error().message;
    const std::size_t wanted = model_->erase(matchers, range);
    tally_.deleted += wanted;
    if (!failed) {
        EXPECT_GE(*deleted, wanted);
    }
    if (wanted > 0) {
        failed_.clear();
    }
}

void StorageSimulation::declare() {
    using model::MetricKind;
    settle();  // What failed was judged by the kinds before.
    model_->kinds = {{"event", MetricKind::kEvent}};
    if (once_in(6)) {
        model_->kinds["event"] = MetricKind::kGauge;
    }
    if (!once_in(3)) {
        model_->kinds["total"] = MetricKind::kTotal;
    }
    if (once_in(3)) {
        model_->kinds["gauge"] = MetricKind::kCounter;
    }
    storage_->declare_kinds(model_->kinds);
}

void StorageSimulation::read_log() {
    for (int pieces = 0; pieces < 1000; ++pieces) {
        const auto piece = storage_->read_log(log_position_, 1 + pick(3000));
        if (!piece) {
            EXPECT_EQ(piece.error().code, Code::kUnavailable) << piece.error().message;
            return;
        }
        ASSERT_EQ(piece->lost, 0U);
        ASSERT_GE(piece->next, log_position_);
        ASSERT_LE(piece->samples.size(), model_->log.size());
        for (const model::LoggedSample& logged : piece->samples) {
            const StorageModel::Logged& want = model_->log.front();
            ASSERT_EQ(logged.labels.to_string(), want.labels.to_string());
            ASSERT_EQ(logged.sample.time, want.time);
            ASSERT_TRUE(same_value(logged.sample.value, want.value));
            ASSERT_EQ(logged.origin, want.origin);
            model_->log.pop_front();
            ++tally_.logged;
        }
        if (piece->next == log_position_) {
            ASSERT_EQ(model_->log.size(), 0U);
            break;
        }
        log_position_ = piece->next;
    }
    storage_->hold_log("simulation", log_position_);
}

void StorageSimulation::look_at_snapshot() {
    settle();
    const auto name = storage_->snapshot(now_);
    ASSERT_TRUE(name.has_value()) << name.error().message;
    StorageOptions options = options_;
    options.path += "/snapshots/" + *name;
    const auto opened = setup_.disk != nullptr ? Storage::open(options, setup_.disk->opener())
                                               : Storage::open(options);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    const auto done = (*opened)->maintain(now_);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    model_->raise_floors(now_);
    compare_all(**opened);
    maintain();
}

}  // namespace kpid::storage
