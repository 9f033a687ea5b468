#include "storage/memory_series.h"

#include <algorithm>

namespace kpid::storage {
namespace {

std::ptrdiff_t first_at_or_after(const std::vector<Timestamp>& times, Timestamp time) {
    return std::lower_bound(times.begin(), times.end(), time) - times.begin();
}

std::ptrdiff_t first_after(const std::vector<Timestamp>& times, Timestamp time) {
    return std::upper_bound(times.begin(), times.end(), time) - times.begin();
}

auto find_pending(auto& pending, Timestamp time) {
    return std::lower_bound(
        pending.begin(), pending.end(), time,
        [](const model::Sample& sample, Timestamp t) { return sample.time < t; });
}

}  // namespace

bool MemorySeries::has_samples_in(model::TimeRange range) const {
    const MutexLock lock(mutex_);
    const auto begin = static_cast<std::size_t>(first_at_or_after(times_, range.start));
    return begin < times_.size() && times_[begin] <= range.end;
}

bool MemorySeries::copy(model::TimeRange range, std::size_t limit,
                        model::SeriesColumns& out) const {
    const MutexLock lock(mutex_);
    const std::ptrdiff_t begin = first_at_or_after(times_, range.start);
    const std::ptrdiff_t end = std::max(begin, first_after(times_, range.end));
    if (static_cast<std::size_t>(end - begin) > limit) {
        return false;
    }
    out.times.insert(out.times.end(), times_.begin() + begin, times_.begin() + end);
    out.values.insert(out.values.end(), values_.begin() + begin, values_.begin() + end);
    return true;
}

bool MemorySeries::is_empty() const {
    const MutexLock lock(mutex_);
    return times_.empty();
}

std::size_t MemorySeries::drop_before(Timestamp cutoff) {
    const MutexLock lock(mutex_);
    const std::ptrdiff_t end = first_at_or_after(times_, cutoff);
    if (end == 0) {
        return 0;
    }
    times_.erase(times_.begin(), times_.begin() + end);
    values_.erase(values_.begin(), values_.begin() + end);
    if (times_.empty()) {
        times_.shrink_to_fit();
        values_.shrink_to_fit();
    }
    return static_cast<std::size_t>(end);
}

MemorySeries::Standing MemorySeries::standing_at(Timestamp time) const {
    Standing standing;
    if (!pending_.empty()) {
        standing.newest = pending_.back().time;
        if (const auto place = find_pending(pending_, time);
            place != pending_.end() && place->time == time) {
            standing.value = place->value;
        }
    }
    const MutexLock lock(mutex_);
    if (times_.empty()) {
        return standing;
    }
    standing.newest = std::max(standing.newest.value_or(times_.back()), times_.back());
    if (time <= times_.back() && !standing.value) {
        const auto place = static_cast<std::size_t>(first_at_or_after(times_, time));
        if (times_[place] == time) {
            standing.value = values_[place];
        }
    }
    return standing;
}

void MemorySeries::add_pending(model::Sample sample) {
    if (pending_.empty() || pending_.back().time < sample.time) {
        pending_.push_back(sample);
        return;
    }
    const auto place = find_pending(pending_, sample.time);
    if (place->time == sample.time) {
        place->value = sample.value;
    } else {
        pending_.insert(place, sample);
    }
}

std::size_t MemorySeries::merge_pending() {
    if (pending_.empty()) {
        return 0;
    }
    const MutexLock lock(mutex_);
    const std::size_t size_before = times_.size();
    // What lies behind the first pending sample is set aside, then both are merged in order of
    // time.
    const std::ptrdiff_t place = first_at_or_after(times_, pending_.front().time);
    const std::vector<Timestamp> times(times_.begin() + place, times_.end());
    const std::vector<double> values(values_.begin() + place, values_.end());
    times_.resize(static_cast<std::size_t>(place));
    values_.resize(static_cast<std::size_t>(place));
    std::size_t next = 0;
    for (const model::Sample& sample : pending_) {
        for (; next < times.size() && times[next] < sample.time; ++next) {
            times_.push_back(times[next]);
            values_.push_back(values[next]);
        }
        if (next < times.size() && times[next] == sample.time) {
            ++next;
        }
        times_.push_back(sample.time);
        values_.push_back(sample.value);
    }
    for (; next < times.size(); ++next) {
        times_.push_back(times[next]);
        values_.push_back(values[next]);
    }
    pending_.clear();
    if (pending_.capacity() > 16) {
        pending_.shrink_to_fit();
    }
    return times_.size() - size_before;
}

}  // namespace kpid::storage
