#pragma once
// Words for tests of the dispatcher: alerts, routes and a receiver that remembers.

#include "kpid/alerting/dispatcher.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace kpid::alerting::testing {

inline constexpr Timestamp kStart{1'800'000'000'000};

inline Duration seconds(int count) {
    return std::chrono::seconds(count);
}

/// An alert of the KPI `kpi` that fires since `starts`.
inline Alert firing(std::string_view kpi, std::string_view severity, std::string_view shop = "de",
                    Timestamp starts = kStart) {
    Alert alert;
    alert.identity = model::Labels{{"alertname", kpi},
                                   {"kpi", kpi},
                                   {"condition", "threshold"},
                                   {"severity", severity},
                                   {"shop", shop}};
    alert.labels = alert.identity.with("owner", "team");
    alert.starts_at = starts;
    alert.kpi = KpiContext{.id = std::string(kpi), .title = "Title"};
    return alert;
}

inline Alert ended(Alert alert, Timestamp at, EndReason reason = EndReason::kResolved) {
    alert.ended = reason;
    alert.ends_at = at;
    return alert;
}

inline Alert superseded(Alert alert, Timestamp at, const Alert& by) {
    alert = ended(std::move(alert), at, EndReason::kSuperseded);
    alert.kpi->superseded_by = by.fingerprint();
    return alert;
}

inline RouteTree tree(const Route& root) {
    auto built = RouteTree::build(root);
    EXPECT_TRUE(built) << (built ? "" : built.error().message);
    return built ? *built : RouteTree();
}

/// One route to `ops` with the given pace.
inline Route pace(int wait, int interval, int repeat = 14'400) {
    Route root;
    root.receiver = "ops";
    root.group_wait = seconds(wait);
    root.group_interval = seconds(interval);
    root.repeat_interval = seconds(repeat);
    return root;
}

/// `critical` to pager, all else to the root's receiver.
inline Route split_by_severity(Route root) {
    Route child;
    child.receiver = "pager";
    child.matchers = {model::Matcher::equal("severity", "critical")};
    root.routes = {child};
    return root;
}

/// "+critical/de -warning/de": what a message says, firing and ended.
inline std::string said(const GroupNotification& notification) {
    std::string text;
    for (const Alert& alert : notification.alerts) {
        text += text.empty() ? "" : " ";
        text += alert.firing() ? '+' : '-';
        text +=
            std::string(alert.labels.get("severity")) + "/" + std::string(alert.labels.get("shop"));
    }
    return text;
}

/// A dispatcher on a clock of its own.
class DispatcherWalk : public ::testing::Test {
protected:
    void routes(const Route& root) { dispatcher_ = Dispatcher(tree(root)); }
    void advance(Duration by) { now_ += by; }
    void submit(std::vector<Alert> alerts) { dispatcher_.submit(now_, alerts); }

    /// Takes what is due, and settles it at once unless told otherwise: "receiver: what" in order.
    std::vector<std::string> take(bool settle_at_once = true) {
        std::vector<std::string> lines;
        for (GroupNotification& notification : dispatcher_.take_due(now_)) {
            lines.push_back(notification.receiver + ": " + said(notification));
            last_.push_back(std::move(notification));
            if (settle_at_once) {
                settle(last_.back());
            }
        }
        return lines;
    }
    void settle(const GroupNotification& notification, bool delivered = true) {
        dispatcher_.on_settled(now_, notification.group_id, notification.id, delivered);
    }
    /// Stops and starts again from what was written.
    void restart(const Route& root) {
        for (auto& [key, text] : dispatcher_.take_dirty()) {
            if (text) {
                state_[key] = *text;
            } else {
                state_.erase(key);
            }
        }
        dispatcher_ = Dispatcher(tree(root));
        const std::vector<std::pair<std::string, std::string>> entries(state_.begin(),
                                                                       state_.end());
        const auto restored = dispatcher_.restore(now_, entries);
        EXPECT_TRUE(restored) << (restored ? "" : restored.error().message);
    }

    using Lines = std::vector<std::string>;
    Timestamp now_ = kStart;
    Dispatcher dispatcher_;
    std::vector<GroupNotification> last_;
    std::map<std::string, std::string> state_;
};

}  // namespace kpid::alerting::testing
