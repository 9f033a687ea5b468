#pragma once
// Routes: which receivers an alert goes to, and how its messages are grouped and paced.

#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/matcher.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::alerting {

/// The word that, as a receiver, stands for the receiver of the alert's label `owner`.
inline constexpr std::string_view kOwnerReceiver = "owner";
/// The built-in receiver; where an owner without a receiver of his own ends up.
inline constexpr std::string_view kInboxReceiver = "inbox";

/// What does not wait for group_interval. With neither, a group speaks at ticks only: every
/// group_interval from its first message on, as Alertmanager's.
struct Immediate {
    bool escalation = true;  ///< A severity worse than all that the group was told of.
    bool all_clear = true;   ///< The end of the group's last alert.
    bool operator==(const Immediate&) const = default;
};

/// One node of the tree as it is written. What is absent comes from the parent; at the root from
/// the defaults of ResolvedRoute.
struct Route {
    std::string receiver;  ///< Empty: the parent's; at the root `owner`.
    std::vector<model::Matcher> matchers;
    bool continues = false;  ///< `continue`: later siblings are tried too.
    std::optional<std::vector<std::string>> group_by;  ///< Label names, or the one word `...`: all.
    std::optional<Duration> group_wait;
    std::optional<Duration> group_interval;
    std::optional<Duration> repeat_interval;  ///< 0: never again.
    std::optional<Immediate> immediate;
    std::vector<Route> routes;
};

/// A node with everything inherited filled in. Borrowed from its RouteTree.
struct ResolvedRoute {
    /// The matchers of the path, as Alertmanager writes them: `{}/{severity="critical"}`.
    std::string id = "{}";
    std::string receiver{kOwnerReceiver};  ///< As configured: may be `owner`.
    bool group_by_all = false;
    std::vector<std::string> group_by = {"alertname"};
    Duration group_wait = std::chrono::seconds(1);
    Duration group_interval = std::chrono::minutes(1);
    Duration repeat_interval = std::chrono::hours(4);
    Immediate immediate;

    /// The labels that name the alert's group under this route.
    [[nodiscard]] model::Labels group_labels(const model::Labels& labels) const;
};

/// The whole tree. Immutable, cheap to copy, thread-safe.
class RouteTree {
public:
    static constexpr std::size_t kDepthMax = 64;
    static constexpr std::size_t kRoutesMax = 10'000;

    /// The default: one route, {receiver: owner}, and no owner has a receiver.
    RouteTree();
    /// Fails when the root has matchers or `continue`, when `...` stands beside other labels, when
    /// a duration is negative or a limit is passed. `receiver_of_owner` maps ids of owners to
    /// receivers.
    [[nodiscard]] static Result<RouteTree> build(
        const Route& root, std::map<std::string, std::string> receiver_of_owner = {});

    /// The routes that take an alert with these labels, in order; never empty. Depth first: a node
    /// takes what none of its children takes; the first child that matches ends the search unless
    /// it `continues`.
    [[nodiscard]] std::vector<const ResolvedRoute*> match(const model::Labels& labels) const;
    /// The receiver's name, with `owner` resolved by the alert's label `owner`.
    [[nodiscard]] std::string receiver_of(const ResolvedRoute& route,
                                          const model::Labels& labels) const;
    /// All nodes, root first, depth first. Valid as long as this or a copy lives.
    [[nodiscard]] std::vector<const ResolvedRoute*> all() const;
    /// The first node with this id, or null.
    [[nodiscard]] const ResolvedRoute* find(std::string_view id) const;

private:
    struct Rep;
    explicit RouteTree(std::shared_ptr<const Rep> rep) : rep_(std::move(rep)) {}

    std::shared_ptr<const Rep> rep_;  // never null
};

/// `{a="b", c="d"}`: a label set as it stands in group keys.
[[nodiscard]] std::string format_label_set(const model::Labels& labels);

}  // namespace kpid::alerting
