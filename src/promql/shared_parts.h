#pragma once
// Parts that an expression says more than once, so that one evaluation serves all of them.

#include "kpid/promql/ast.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>

namespace kpid::promql {

/// Of one expression.
class SharedParts {
public:
    /// Larger expressions are evaluated as they are written.
    static constexpr std::size_t kNodesMax = 256;
    /// Bytes of its text: each part's is compared, and parts stand in each other.
    static constexpr std::size_t kTextMax = 8192;

    struct Part {
        std::size_t number = 0;  ///< Equal for parts that say the same; below count().
        std::size_t uses = 0;    ///< How often it is asked for, at least 2.
    };

    SharedParts() = default;
    explicit SharedParts(const Expr& expr);

    /// Null for a part that stands alone. Of those within a shared part only what stands elsewhere
    /// too is shared. What stands in subqueries is not: it is evaluated at steps of its own.
    [[nodiscard]] const Part* find(const Expr& node) const {
        const auto found = parts_.find(&node);
        return found == parts_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] bool empty() const { return parts_.empty(); }
    [[nodiscard]] std::size_t count() const { return count_; }

private:
    boost::unordered_flat_map<const Expr*, Part> parts_;
    std::size_t count_ = 0;
};

}  // namespace kpid::promql
