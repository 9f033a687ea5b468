// Building and searching the tree of routes.

#include "kpid/alerting/route.h"

#include "alerting/go_text.h"
#include "kpid/alerting/matcher_parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::alerting {

struct RouteTree::Rep {
    // Children follow their parent; an index stays valid while nodes are added.
    struct Node {
        ResolvedRoute route;
        std::vector<model::Matcher> matchers;
        bool continues = false;
        std::vector<std::size_t> children;
    };

    Result<std::size_t> add(const Route& written, const ResolvedRoute& parent,
                            std::string_view parent_path, std::size_t depth);
    bool collect(std::size_t index, const model::Labels& labels,
                 std::vector<const ResolvedRoute*>& found) const;

    std::vector<Node> nodes;
    std::map<std::string, std::string> receiver_of_owner;
};

namespace {

Result<void> inherit(const Route& written, ResolvedRoute& route) {
    if (!written.receiver.empty()) {
        route.receiver = written.receiver;
    }
    if (written.group_by) {
        const std::vector<std::string>& names = *written.group_by;
        const bool all = std::find(names.begin(), names.end(), "...") != names.end();
        if (all && names.size() > 1) {
            return invalid_argument("group_by: `...` stands alone");
        }
        route.group_by_all = all;
        route.group_by = all ? std::vector<std::string>() : names;
    }
    for (const auto& [from, to] : {std::pair{&written.group_wait, &route.group_wait},
                                   std::pair{&written.group_interval, &route.group_interval},
                                   std::pair{&written.repeat_interval, &route.repeat_interval}}) {
        if (!*from) {
            continue;
        }
        if (**from < Duration::zero()) {
            return invalid_argument("an interval of a route may not be negative");
        }
        *to = **from;
    }
    route.immediate = written.immediate.value_or(route.immediate);
    return {};
}

}  // namespace

Result<std::size_t> RouteTree::Rep::add(const Route& written, const ResolvedRoute& parent,
                                        std::string_view parent_path, std::size_t depth) {
    if (depth > kDepthMax) {
        return invalid_argument(fmt::format("routes nested deeper than {}", kDepthMax));
    }
    if (nodes.size() == kRoutesMax) {
        return invalid_argument(fmt::format("more than {} routes", kRoutesMax));
    }
    Node node;
    node.route = parent;
    KPID_CHECK_OK(inherit(written, node.route));
    node.matchers = written.matchers;
    std::sort(node.matchers.begin(), node.matchers.end(), [](const auto& a, const auto& b) {
        return std::tie(a.name(), a.value()) < std::tie(b.name(), b.value());
    });
    node.continues = written.continues;
    node.route.id = parent_path.empty()
                        ? format_matchers(node.matchers)
                        : fmt::format("{}/{}", parent_path, format_matchers(node.matchers));
    const std::size_t index = nodes.size();
    nodes.push_back(node);
    for (const Route& child : written.routes) {
        KPID_TRY(const std::size_t place, add(child, node.route, node.route.id, depth + 1));
        nodes[index].children.push_back(place);
    }
    return index;
}

bool RouteTree::Rep::collect(std::size_t index, const model::Labels& labels,
                             std::vector<const ResolvedRoute*>& found) const {
    const Node& node = nodes[index];
    if (!model::matches_all(node.matchers, labels)) {
        return false;
    }
    bool taken = false;
    for (const std::size_t child : node.children) {
        const bool matched = collect(child, labels, found);
        taken = taken || matched;
        if (matched && !nodes[child].continues) {
            break;
        }
    }
    if (!taken) {
        found.push_back(&node.route);
    }
    return true;
}

model::Labels ResolvedRoute::group_labels(const model::Labels& labels) const {
    if (group_by_all) {
        return labels;
    }
    std::vector<model::Label> taken;
    taken.reserve(group_by.size());
    for (const std::string& name : group_by) {
        taken.push_back({name, std::string(labels.get(name))});
    }
    return model::Labels::from(std::move(taken));
}

RouteTree::RouteTree() {
    auto rep = std::make_shared<Rep>();
    rep->nodes.emplace_back();
    rep_ = std::move(rep);
}

Result<RouteTree> RouteTree::build(const Route& root,
                                   std::map<std::string, std::string> receiver_of_owner) {
    if (!root.matchers.empty()) {
        return invalid_argument("the root route may have no matchers");
    }
    if (root.continues) {
        return invalid_argument("the root route may not continue");
    }
    auto rep = std::make_shared<Rep>();
    rep->receiver_of_owner = std::move(receiver_of_owner);
    KPID_TRY(const std::size_t first, rep->add(root, ResolvedRoute{}, {}, 1));
    static_cast<void>(first);
    return RouteTree(std::move(rep));
}

std::vector<const ResolvedRoute*> RouteTree::match(const model::Labels& labels) const {
    std::vector<const ResolvedRoute*> found;
    rep_->collect(0, labels, found);
    return found;
}

std::string RouteTree::receiver_of(const ResolvedRoute& route, const model::Labels& labels) const {
    if (route.receiver != kOwnerReceiver) {
        return route.receiver;
    }
    const auto found = rep_->receiver_of_owner.find(std::string(labels.get("owner")));
    return found == rep_->receiver_of_owner.end() ? std::string(kInboxReceiver) : found->second;
}

std::vector<const ResolvedRoute*> RouteTree::all() const {
    std::vector<const ResolvedRoute*> routes;
    for (const Rep::Node& node : rep_->nodes) {
        routes.push_back(&node.route);
    }
    return routes;
}

const ResolvedRoute* RouteTree::find(std::string_view id) const {
    for (const Rep::Node& node : rep_->nodes) {
        if (node.route.id == id) {
            return &node.route;
        }
    }
    return nullptr;
}

std::string format_label_set(const model::Labels& labels) {
    std::string text = "{";
    for (const model::Label& label : labels) {
        if (text.size() > 1) {
            text += ", ";
        }
        text += fmt::format("{}={}", label.name, go_quote(label.value));
    }
    return text + '}';
}

}  // namespace kpid::alerting
