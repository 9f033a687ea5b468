#pragma once
// A log of samples in memory, with a bound, whose store survives or loses what is asked.

#include "kpid/base/mutex.h"
#include "kpid/model/sample_log.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::testing {

/// One record an append; positions count up by 1. Thread-safe.
class FakeSampleLog final : public model::SampleLog {
public:
    void append(std::vector<model::LoggedSample> samples) {
        const MutexLock lock(mutex_);
        records_.push_back(std::move(samples));
    }
    /// Gives up records before every hold, then the oldest beyond `records_max`.
    void maintain(std::size_t records_max) {
        const MutexLock lock(mutex_);
        std::uint64_t held = first_ + records_.size();
        for (const auto& [reader, position] : holds_) {
            held = std::min(held, position);
        }
        while (!records_.empty() && (first_ < held || records_.size() > records_max)) {
            records_.pop_front();
            ++first_;
        }
    }
    /// As after a restart: nobody holds anything.
    void forget_holds() {
        const MutexLock lock(mutex_);
        holds_.clear();
    }
    void fail(bool fails) {
        const MutexLock lock(mutex_);
        fails_ = fails;
    }
    [[nodiscard]] std::map<std::string, std::uint64_t> holds() const {
        const MutexLock lock(mutex_);
        return holds_;
    }

    [[nodiscard]] Result<model::LogPiece> read_log(std::uint64_t position,
                                                   std::size_t samples_max) const override {
        const MutexLock lock(mutex_);
        if (fails_) {
            return unavailable("the disk does not answer");
        }
        model::LogPiece piece{.next = position};
        if (position < first_) {
            piece.lost = first_ - position;
            piece.next = first_;
        }
        while (piece.next < first_ + records_.size() && piece.samples.size() < samples_max) {
            const auto& record = records_[static_cast<std::size_t>(piece.next - first_)];
            piece.samples.insert(piece.samples.end(), record.begin(), record.end());
            ++piece.next;
        }
        return piece;
    }
    [[nodiscard]] std::uint64_t log_end() const override {
        const MutexLock lock(mutex_);
        return first_ + records_.size();
    }
    void hold_log(std::string_view reader, std::uint64_t position) override {
        const MutexLock lock(mutex_);
        if (position == std::numeric_limits<std::uint64_t>::max()) {
            holds_.erase(std::string(reader));
        } else {
            holds_[std::string(reader)] = position;
        }
    }

private:
    mutable Mutex mutex_;
    std::uint64_t first_ KPID_GUARDED_BY(mutex_) = 100;  // the position of the oldest record
    std::deque<std::vector<model::LoggedSample>> records_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::uint64_t> holds_ KPID_GUARDED_BY(mutex_);
    bool fails_ KPID_GUARDED_BY(mutex_) = false;
};

}  // namespace kpid::testing
