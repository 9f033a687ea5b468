// Two maps: by place in the queue, and from an alert to its place.
#include "notify/alert_queue.h"

#include <utility>

namespace kpid::notify {

std::size_t AlertQueue::push(const std::string& fingerprint, const alerting::Alert& alert,
                             std::uint64_t submission) {
    const auto [known, is_new] = places_.try_emplace(fingerprint, next_place_);
    if (!is_new) {
        entries_.erase(known->second);
        known->second = next_place_;
    }
    entries_.emplace(next_place_, Entry{fingerprint, alert, submission});
    ++next_place_;
    if (entries_.size() <= kAlertsMax) {
        return 0;
    }
    places_.erase(entries_.begin()->second.fingerprint);
    entries_.erase(entries_.begin());
    return 1;
}

std::vector<alerting::Alert> AlertQueue::take() {
    std::vector<alerting::Alert> batch;
    std::uint64_t submission = 0;
    while (!entries_.empty() && batch.size() < kBatchMax) {
        Entry& next = entries_.begin()->second;
        if (batch.size() >= kBatchWanted && next.submission != submission) {
            break;
        }
        submission = next.submission;
        places_.erase(next.fingerprint);
        batch.push_back(std::move(next.alert));
        entries_.erase(entries_.begin());
    }
    return batch;
}

}  // namespace kpid::notify
