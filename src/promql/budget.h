#pragma once
// The samples that one query holds at once, counted against its limit.

#include "kpid/base/result.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace kpid::promql {

/// The error of a query that needs more samples than it may hold.
[[nodiscard]] Error too_many_samples();

/// One per query; one thread at a time.
class Budget {
public:
    explicit Budget(std::size_t samples_max) : samples_max_(samples_max) {}

    [[nodiscard]] std::size_t remaining() const { return samples_max_ - used_; }
    /// The most that was ever in use.
    [[nodiscard]] std::size_t peak() const { return peak_; }

private:
    friend class Charge;
    std::size_t used_ = 0;
    std::size_t peak_ = 0;
    std::size_t samples_max_;
};

/// A share of a budget that is given back when this ends. The budget outlives it.
class Charge {
public:
    explicit Charge(Budget& budget) : budget_(&budget) {}
    Charge(Charge&& other) noexcept
        : budget_(other.budget_), samples_(std::exchange(other.samples_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
        std::swap(budget_, other.budget_);
        std::swap(samples_, other.samples_);
        return *this;
    }
    Charge(const Charge&) = delete;
    Charge& operator=(const Charge&) = delete;
    ~Charge() { budget_->used_ -= samples_; }

    [[nodiscard]] Result<void> add(std::size_t samples) {
        if (samples > budget_->remaining()) {
            return too_many_samples();
        }
        budget_->used_ += samples;
        budget_->peak_ = std::max(budget_->peak_, budget_->used_);
        samples_ += samples;
        return {};
    }
    [[nodiscard]] Budget& budget() const { return *budget_; }

private:
    Budget* budget_;
    std::size_t samples_ = 0;
};

}  // namespace kpid::promql
