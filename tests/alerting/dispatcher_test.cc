// Walks through the dispatcher's rules of waiting and telling.
#include "alerting/dispatcher_fixture.h"

#include <fmt/format.h>

namespace kpid::alerting::testing {
namespace {

using Dispatch = DispatcherWalk;

TEST_F(Dispatch, WaitsGroupWaitBeforeTheFirstMessage) {
    routes(pace(5, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(dispatcher_.next_wakeup(), now_ + seconds(5));
    advance(seconds(4));
    EXPECT_EQ(take(), Lines{});
    submit({firing("csat", "warning", "at")});
    advance(seconds(1));
    EXPECT_EQ(take(), (Lines{"ops: +warning/at +warning/de"}));
    EXPECT_EQ(last_[0].reason, NotifyReason::kFirst);
    EXPECT_EQ(last_[0].group_key, "{}:{alertname=\"csat\"}");
    EXPECT_EQ(last_[0].sequence, 1U);
}

TEST_F(Dispatch, MakesOneMessageOfSixtyInstancesInOneSubmit) {
    routes(pace(0, 60));
    std::vector<Alert> alerts;
    for (int i = 0; i < 60; ++i) {
        alerts.push_back(firing("csat", "critical", fmt::format("shop{:02}", i)));
    }
    submit(alerts);
    ASSERT_EQ(take().size(), 1U);
    EXPECT_EQ(last_[0].alerts.size(), 60U);
}

TEST_F(Dispatch, IsIdempotent) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    static_cast<void>(dispatcher_.take_dirty());
    for (int i = 0; i < 100; ++i) {
        advance(seconds(30));
        submit({firing("csat", "warning")});
        EXPECT_EQ(take(), Lines{});
    }
    EXPECT_TRUE(dispatcher_.take_dirty().empty());
}

TEST_F(Dispatch, KeepsLaterChangesForGroupInterval) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    advance(seconds(10));
    submit({firing("csat", "warning", "at")});
    EXPECT_EQ(dispatcher_.next_wakeup(), kStart + seconds(60));
    advance(seconds(49));
    EXPECT_EQ(take(), Lines{});
    advance(seconds(1));
    EXPECT_EQ(take(), (Lines{"ops: +warning/at +warning/de"}));
    EXPECT_EQ(last_[1].reason, NotifyReason::kChange);
}

TEST_F(Dispatch, RepeatsWhatStillFires) {
    routes(pace(0, 60, 600));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    advance(seconds(599));
    EXPECT_EQ(take(), Lines{});
    advance(seconds(1));
    EXPECT_EQ(take(), (Lines{"ops: +warning/de"}));
    EXPECT_EQ(last_[1].reason, NotifyReason::kRepeat);
    EXPECT_NE(last_[1].id, last_[0].id);
}

TEST_F(Dispatch, NeverRepeatsWithoutRepeatInterval) {
    routes(pace(0, 60, 0));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    EXPECT_EQ(dispatcher_.next_wakeup(), std::nullopt);
}

TEST_F(Dispatch, TellsAWorseSeverityAtOnceWithTheEndOfWhatItSupersedes) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    advance(seconds(1));
    const Alert critical = firing("csat", "critical", "de", now_);
    submit({superseded(firing("csat", "warning"), now_, critical), critical});
    EXPECT_EQ(take(), (Lines{"ops: +critical/de -warning/de"}));
    EXPECT_EQ(last_[1].reason, NotifyReason::kEscalation);
}

TEST_F(Dispatch, ADeescalationWaits) {
    routes(pace(0, 60));
    const Alert critical = firing("csat", "critical");
    submit({critical});
    EXPECT_EQ(take().size(), 1U);
    const Alert warning = firing("csat", "warning", "de", now_);
    submit({superseded(critical, now_, warning), warning});
    EXPECT_EQ(take(), Lines{});
    advance(seconds(60));
    EXPECT_EQ(take(), (Lines{"ops: +warning/de -critical/de"}));
}

TEST_F(Dispatch, TellsTheEndOfTheLastAlertAtOnce) {
    routes(pace(0, 60));
    submit({firing("csat", "warning"), firing("csat", "warning", "at")});
    EXPECT_EQ(take().size(), 1U);
    advance(seconds(1));
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take(), Lines{});
    submit({ended(firing("csat", "warning", "at"), now_)});
    EXPECT_EQ(take(), (Lines{"ops: -warning/at -warning/de"}));
    EXPECT_EQ(last_[1].reason, NotifyReason::kAllClear);
    EXPECT_EQ(dispatcher_.group_count(), 0U);
}

TEST_F(Dispatch, NothingIsImmediateWhenTheRouteSaysSo) {
    Route root = pace(0, 60);
    root.immediate = Immediate{.escalation = false, .all_clear = false};
    routes(root);
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    submit({firing("csat", "critical")});
    EXPECT_EQ(take(), Lines{});
    advance(seconds(60));
    EXPECT_EQ(take().size(), 1U);
    submit({ended(firing("csat", "warning"), now_), ended(firing("csat", "critical"), now_)});
    EXPECT_EQ(take(), Lines{});
    advance(seconds(60));
    EXPECT_EQ(take(), (Lines{"ops: -critical/de -warning/de"}));
}

TEST_F(Dispatch, SpeaksAtTicksWhenNothingIsImmediate) {
    Route root = pace(0, 4, 9);
    root.immediate = Immediate{.escalation = false, .all_clear = false};
    routes(root);
    submit({firing("csat", "warning", "at"), firing("csat", "warning", "de"),
            firing("csat", "warning", "ch")});
    EXPECT_EQ(take().size(), 1U);
    advance(seconds(6));
    submit({ended(firing("csat", "warning", "at"), now_)});
    EXPECT_EQ(take(), Lines{}) << "between the ticks at 4 and 8";
    advance(Duration(28));
    submit({ended(firing("csat", "warning", "de"), now_)});
    EXPECT_EQ(dispatcher_.next_wakeup(), kStart + seconds(8));
    now_ = kStart + seconds(8);
    EXPECT_EQ(take(), (Lines{"ops: +warning/ch -warning/at -warning/de"}));
    EXPECT_EQ(dispatcher_.next_wakeup(), now_ + seconds(12)) << "the tick after repeat_interval";
    now_ += seconds(12);
    submit({firing("csat", "critical", "ch")});
    EXPECT_EQ(take().size(), 1U) << "a tick itself";
}

TEST_F(Dispatch, AGroupIntervalOfZeroSendsEveryChangeAtOnce) {
    routes(pace(0, 0));
    for (const std::string_view shop : {"at", "ch", "de"}) {
        submit({firing("csat", "warning", shop)});
        EXPECT_EQ(take().size(), 1U);
    }
    submit({ended(firing("csat", "warning", "at"), now_)});
    EXPECT_EQ(take(), (Lines{"ops: +warning/ch +warning/de -warning/at"}));
}

TEST_F(Dispatch, NeverTellsWhatEndedBeforeItWasTold) {
    routes(pace(5, 60));
    submit({firing("csat", "warning")});
    advance(seconds(1));
    submit({ended(firing("csat", "warning"), now_)});
    advance(seconds(100));
    EXPECT_EQ(take(), Lines{});
    EXPECT_EQ(dispatcher_.group_count(), 0U);
}

TEST_F(Dispatch, TellsAnEndOnce) {
    routes(pace(0, 0));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    submit({ended(firing("csat", "warning"), now_)});
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take().size(), 1U);
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take(), Lines{});
}

TEST_F(Dispatch, WhatFiresAgainBeforeItsEndWasToldGoesOn) {
    routes(pace(0, 60));
    submit({firing("csat", "warning"), firing("csat", "warning", "at")});
    EXPECT_EQ(take().size(), 1U);
    submit({ended(firing("csat", "warning"), now_)});
    advance(seconds(5));
    submit({firing("csat", "warning", "de", now_)});
    advance(seconds(120));
    EXPECT_EQ(take(), Lines{});
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take(), (Lines{"ops: +warning/at -warning/de"}));
}

TEST_F(Dispatch, HasOneMessageOfAGroupInFlight) {
    routes(pace(0, 0));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take(false).size(), 1U);
    submit({firing("csat", "critical")});
    EXPECT_EQ(take(), Lines{});
    EXPECT_EQ(dispatcher_.next_wakeup(), std::nullopt);
    submit({firing("nps", "warning")});
    EXPECT_EQ(take(false), (Lines{"ops: +warning/de"}));
    settle(last_[0], false);
    settle(last_[0], true);  // a second report changes nothing
    EXPECT_EQ(take(), (Lines{"ops: +critical/de +warning/de"}));
}

TEST_F(Dispatch, AnAlertAfterAnAllClearInFlightStartsTheGroupAnew) {
    routes(pace(2, 60));
    submit({firing("csat", "warning")});
    advance(seconds(2));
    EXPECT_EQ(take().size(), 1U);
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take(false), (Lines{"ops: -warning/de"}));
    submit({firing("csat", "warning", "de", now_)});
    settle(last_[1]);
    EXPECT_EQ(take(), Lines{});
    advance(seconds(2));
    EXPECT_EQ(take(), (Lines{"ops: +warning/de"}));
    EXPECT_EQ(last_[2].reason, NotifyReason::kFirst);
    EXPECT_EQ(last_[2].sequence, 3U);
}

TEST_F(Dispatch, HoldsTheEndBackUntilTheNewAlertWasDeliveredElsewhere) {
    for (const bool delivered : {true, false}) {
        SCOPED_TRACE(delivered);
        routes(split_by_severity(pace(0, 0)));
        const Alert warning = firing("csat", "warning");
        submit({warning});
        EXPECT_EQ(take().size(), 1U);
        const Alert critical = firing("csat", "critical");
        submit({superseded(warning, now_, critical), critical});
        EXPECT_EQ(take(false), (Lines{"pager: +critical/de"}));
        advance(seconds(3600));
        EXPECT_EQ(take(), Lines{});
        settle(last_.back(), delivered);
        EXPECT_EQ(take(), (Lines{"ops: -warning/de"}));
        EXPECT_EQ(last_.back().reason, NotifyReason::kAllClear);
    }
}

TEST_F(Dispatch, FreesTheEndWhenTheNewAlertWentUntold) {
    routes(split_by_severity(pace(0, 0)));
    const Alert warning = firing("csat", "warning");
    submit({warning});
    EXPECT_EQ(take().size(), 1U);
    const Alert critical = firing("csat", "critical");
    submit({superseded(warning, now_, critical), critical});
    submit({ended(critical, now_)});
    EXPECT_EQ(take(), (Lines{"ops: -warning/de"}));
}

TEST_F(Dispatch, AReloadMovesAlertsAndEndsThemWhereTheyWereTold) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    Route other = pace(0, 60, 600);
    other.receiver = "mail";
    dispatcher_.reconfigure(now_, tree(other));
    EXPECT_EQ(take(), (Lines{"mail: +warning/de"}));
    advance(seconds(600));
    EXPECT_EQ(take(), (Lines{"mail: +warning/de"}));
    submit({ended(firing("csat", "warning"), now_)});
    EXPECT_EQ(take(), (Lines{"mail: -warning/de", "ops: -warning/de"}));
    EXPECT_EQ(dispatcher_.group_count(), 0U);
}

TEST_F(Dispatch, AReloadOfTheSameRoutesTellsNothing) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    dispatcher_.reconfigure(now_, tree(pace(0, 10)));
    advance(seconds(60));
    EXPECT_EQ(take(), Lines{});
    submit({firing("csat", "warning", "at")});
    EXPECT_EQ(take().size(), 1U);
    submit({firing("csat", "warning", "ch")});
    EXPECT_EQ(dispatcher_.next_wakeup(), now_ + seconds(10));
}

TEST_F(Dispatch, AChangedOwnerStartsAtTheNewOneAndEndsAtBoth) {
    const auto owned = [&](std::string_view owner) {
        Alert alert = firing("csat", "warning");
        alert.labels = alert.labels.with("owner", owner);
        return alert;
    };
    Route root = pace(0, 0);
    root.receiver = "owner";
    dispatcher_ = Dispatcher(*RouteTree::build(root, {{"anna", "mail"}, {"ben", "chat"}}));
    submit({owned("anna")});
    EXPECT_EQ(take(), (Lines{"mail: +warning/de"}));
    submit({owned("ben")});
    EXPECT_EQ(take(), (Lines{"chat: +warning/de"}));
    submit({owned("carl")});
    EXPECT_EQ(take(), (Lines{"inbox: +warning/de"}));
    submit({ended(owned("carl"), now_)});
    EXPECT_EQ(take().size(), 3U);
}

TEST_F(Dispatch, ARestartRepeatsNothingAndLosesNothing) {
    const Route root = pace(0, 60);
    routes(root);
    submit({firing("csat", "warning"), firing("nps", "warning")});
    EXPECT_EQ(take(false).size(), 2U);
    submit({ended(firing("csat", "warning"), now_), firing("nps", "warning", "at")});
    restart(root);
    EXPECT_EQ(dispatcher_.in_flight().size(), 2U);
    EXPECT_EQ(dispatcher_.known_firing().size(), 2U);
    EXPECT_EQ(take(), Lines{});
    settle(last_[0]);
    settle(last_[1]);
    EXPECT_EQ(take(), (Lines{"ops: -warning/de"}));
    advance(seconds(60));
    EXPECT_EQ(take(), (Lines{"ops: +warning/at +warning/de"}));
    restart(root);
    submit({firing("nps", "warning")});
    EXPECT_EQ(take(), Lines{});
}

TEST_F(Dispatch, AMessageLostInACrashComesBackWithTheSameId) {
    const Route root = pace(0, 60);
    routes(root);
    submit({firing("csat", "warning")});
    restart(root);
    EXPECT_EQ(take(false).size(), 1U);
    // The write of this message never happened.
    Dispatcher again(tree(root));
    const std::vector<std::pair<std::string, std::string>> entries(state_.begin(), state_.end());
    ASSERT_TRUE(again.restore(now_, entries));
    const auto taken = again.take_due(now_);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].id, last_[0].id);
}

TEST_F(Dispatch, ANewGroupOfTheSameNameHasOtherIds) {
    routes(pace(0, 0));
    std::set<std::string> ids;
    for (int i = 0; i < 5; ++i) {
        submit({firing("csat", "warning")});
        EXPECT_EQ(take().size(), 1U);
        submit({ended(firing("csat", "warning"), now_)});
        EXPECT_EQ(take().size(), 1U);
    }
    for (const GroupNotification& notification : last_) {
        ids.insert(notification.id);
    }
    EXPECT_EQ(ids.size(), 10U);
}

TEST_F(Dispatch, NamesStateThatDoesNotReadAndKeepsTheRest) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    auto dirty = dispatcher_.take_dirty();
    ASSERT_EQ(dirty.size(), 1U);
    const std::vector<std::pair<std::string, std::string>> state = {
        {"\"ops\"{}:{}", "{\"route\":"}, {dirty[0].first, *dirty[0].second}};
    Dispatcher again(tree(pace(0, 60)));
    const auto restored = again.restore(now_, state);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, Code::kDataLoss);
    EXPECT_EQ(again.group_count(), 1U);
}

TEST_F(Dispatch, CountsWhatTheLimitsRefuse) {
    dispatcher_ = Dispatcher(tree(pace(0, 0)), {.groups_max = 1, .alerts_per_group_max = 2});
    submit({firing("csat", "warning", "at"), firing("csat", "warning", "ch"),
            firing("csat", "warning", "de"), firing("nps", "warning")});
    EXPECT_EQ(take(), (Lines{"ops: +warning/at +warning/ch"}));
    EXPECT_EQ(last_[0].alerts_refused, 1U);
    EXPECT_EQ(dispatcher_.alerts_refused_total(), 1U);
    EXPECT_EQ(dispatcher_.groups_refused_total(), 1U);
    submit({ended(firing("csat", "warning", "at"), now_)});
    EXPECT_EQ(take().size(), 1U);
    submit({firing("csat", "warning", "de")});
    EXPECT_EQ(take(), (Lines{"ops: +warning/ch +warning/de"}));
}

TEST_F(Dispatch, AClockThatJumpsBackDoesNotSilenceAGroup) {
    routes(pace(0, 60));
    submit({firing("csat", "warning")});
    EXPECT_EQ(take().size(), 1U);
    advance(-std::chrono::hours(24));
    submit({firing("csat", "warning", "at")});
    EXPECT_EQ(dispatcher_.next_wakeup(), now_ + seconds(60));
}

TEST_F(Dispatch, GroupsByTheLabelsOfTheRoute) {
    Route root = pace(0, 0);
    root.group_by = std::vector<std::string>{"alertname", "shop"};
    routes(root);
    submit({firing("csat", "warning", "at"), firing("csat", "warning", "de")});
    EXPECT_EQ(take().size(), 2U);
    EXPECT_EQ(last_[0].group_key, "{}:{alertname=\"csat\", shop=\"at\"}");
    EXPECT_EQ(last_[0].group_labels, (model::Labels{{"alertname", "csat"}, {"shop", "at"}}));
}

TEST_F(Dispatch, RanksSeverities) {
    EXPECT_LT(severity_rank(""), severity_rank("info"));
    EXPECT_LT(severity_rank("info"), severity_rank("warning"));
    EXPECT_LT(severity_rank("warning"), severity_rank("critical"));
    EXPECT_EQ(severity_rank("violet"), 0);
}

}  // namespace
}  // namespace kpid::alerting::testing
