// Random lives of alerts against the promises of the dispatcher, with crashes, reloads and slow
// receivers.
#include "alerting/dispatcher_fixture.h"

#include <random>

namespace kpid::alerting::testing {
namespace {

// What is durable: the dispatcher's state and the outbox, written together.
struct Disk {
    std::map<std::string, std::string> state;
    std::vector<GroupNotification> outbox;
};

// What a receiver was told, per group: the alerts that fire there.
struct Heard {
    std::set<model::Labels> firing;
    std::uint64_t sequence = 0;
    std::optional<Timestamp> last;
};

class Simulation {
public:
    /// Odd seeds never lower group_interval, so that the pace can be checked to the end.
    explicit Simulation(std::uint64_t seed)
        : random_(seed), paced_(seed % 2 == 1), dispatcher_(tree(routes(0))) {}

    void run(int rounds) {
        for (int i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
            now_ += Duration(static_cast<std::int64_t>(pick(20'000)));
            switch (pick(12)) {
                case 0:
                    crash();
                    break;
                case 1:
                    version_ = paced_ ? pick(2) * 2 : pick(3);
                    dispatcher_.reconfigure(now_, tree(routes(version_)));
                    break;
                case 2:
                case 3:
                    settle_some();
                    break;
                default:
                    change_some();
            }
            tell();
            // A crash between taking and writing is a crash before taking.
            write();
        }
        finish();
    }

private:
    std::size_t pick(std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
    }

    static Route routes(std::size_t version) {
        Route root = pace(version == 2 ? 5 : 0, version == 1 ? 0 : 30, 300);
        root.receiver = version == 1 ? "mail" : "ops";
        return version == 0 ? root : split_by_severity(root);
    }

    Alert some_alert() {
        constexpr std::string_view kKpis[] = {"csat", "nps"};
        constexpr std::string_view kSeverities[] = {"warning", "critical"};
        constexpr std::string_view kShops[] = {"at", "ch", "de"};
        return firing(kKpis[pick(2)], kSeverities[pick(2)], kShops[pick(3)], now_);
    }

    void change_some() {
        std::vector<Alert> batch;
        for (std::size_t i = 1 + pick(4); i > 0; --i) {
            Alert alert = some_alert();
            const auto found = truth_.find(alert.identity);
            if (found == truth_.end()) {
                truth_.emplace(alert.identity, alert);
                batch.push_back(alert);
            } else if (pick(3) == 0) {
                batch.push_back(found->second);  // again, unchanged
            } else {
                Alert end = ended(found->second, now_);
                if (!batch.empty() && batch.back().firing()) {
                    end = superseded(found->second, now_, batch.back());
                }
                truth_.erase(found);
                std::erase_if(batch, [&](const Alert& a) { return a.identity == end.identity; });
                batch.push_back(end);
            }
        }
        dispatcher_.submit(now_, batch);
    }

    void tell() {
        for (GroupNotification& notification : dispatcher_.take_due(now_)) {
            listen(notification);
            pending_.push_back(std::move(notification));
        }
    }

    void listen(const GroupNotification& notification) {
        ASSERT_TRUE(ids_.insert(notification.id).second) << "an id twice";
        ASSERT_FALSE(notification.alerts.empty());
        for (const GroupNotification& other : pending_) {
            ASSERT_NE(other.group_id, notification.group_id) << "two messages in flight";
        }
        Heard& heard = heard_[notification.group_id];
        if (notification.sequence == 1) {
            heard.sequence = 0;
            heard.last.reset();
        }
        ASSERT_EQ(notification.sequence, heard.sequence + 1) << "out of order";
        heard.sequence = notification.sequence;
        if (heard.last && !heard.firing.empty()) {
            check_pace(notification, *heard.last);
        }
        heard.last = now_;
        for (const Alert& alert : notification.alerts) {
            if (alert.firing()) {
                ASSERT_TRUE(truth_.contains(alert.identity)) << "told to fire what does not";
                heard.firing.insert(alert.identity);
            } else {
                ASSERT_EQ(heard.firing.erase(alert.identity), 1U) << "an end told to nobody";
            }
        }
    }

    void check_pace(const GroupNotification& notification, Timestamp last) const {
        const bool immediate = notification.reason == NotifyReason::kEscalation ||
                               notification.reason == NotifyReason::kAllClear ||
                               notification.reason == NotifyReason::kFirst;
        if (!immediate && paced_) {
            ASSERT_GE(now_ - last, seconds(30)) << "told too often";
        }
        if (notification.reason == NotifyReason::kRepeat) {
            ASSERT_GE(now_ - last, seconds(300));
        }
    }

    void settle_some() {
        while (!pending_.empty() && pick(4) != 0) {
            const std::size_t index = pick(pending_.size());
            const GroupNotification settled = pending_[index];
            pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
            dispatcher_.on_settled(now_, settled.group_id, settled.id, pick(3) != 0);
        }
    }

    void write() {
        for (auto& [key, text] : dispatcher_.take_dirty()) {
            if (text) {
                disk_.state[key] = *text;
            } else {
                disk_.state.erase(key);
            }
        }
        disk_.outbox = pending_;
    }

    void crash() {
        dispatcher_ = Dispatcher(tree(routes(version_)));
        const std::vector<std::pair<std::string, std::string>> entries(disk_.state.begin(),
                                                                       disk_.state.end());
        ASSERT_TRUE(dispatcher_.restore(now_, entries));
        pending_ = disk_.outbox;
        std::set<std::string> known;
        for (const GroupNotification& notification : pending_) {
            known.insert(notification.id);
        }
        for (const Dispatcher::InFlight& message : dispatcher_.in_flight()) {
            ASSERT_TRUE(known.contains(message.notification_id)) << "state and outbox disagree";
        }
    }

    // Ends everything and lets the receivers answer: everybody must know that all is over.
    void finish() {
        std::vector<Alert> ends;
        for (const auto& [identity, alert] : truth_) {
            ends.push_back(ended(alert, now_));
        }
        truth_.clear();
        dispatcher_.submit(now_, ends);
        for (int i = 0; i < 20; ++i) {
            for (const GroupNotification& message : std::exchange(pending_, {})) {
                dispatcher_.on_settled(now_, message.group_id, message.id, true);
            }
            now_ += seconds(3600);
            tell();
        }
        for (const auto& [group, heard] : heard_) {
            EXPECT_TRUE(heard.firing.empty()) << group << " was never told of an end";
        }
        EXPECT_EQ(dispatcher_.group_count(), 0U);
        EXPECT_EQ(dispatcher_.next_wakeup(), std::nullopt);
    }

    std::mt19937_64 random_;
    bool paced_;
    Timestamp now_ = kStart;
    Dispatcher dispatcher_;
    std::size_t version_ = 0;
    std::map<model::Labels, Alert> truth_;
    std::vector<GroupNotification> pending_;
    std::map<std::string, Heard> heard_;
    std::set<std::string> ids_;
    Disk disk_;
};

TEST(DispatcherSimulation, KeepsItsPromisesOverRandomLives) {
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        SCOPED_TRACE(seed);
        Simulation(seed).run(300);
        if (HasFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace kpid::alerting::testing
