#pragma once
// PromQL as a tree: what the parser makes of a text, the printer writes and the engine evaluates.

#include "kpid/base/assert.h"
#include "kpid/base/time.h"
#include "kpid/model/matcher.h"
#include "kpid/promql/functions.h"
#include "kpid/promql/operators.h"
#include "kpid/promql/value_type.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// Byte offsets into the text, `end` excluded.
struct Position {
    std::uint32_t start = 0;
    std::uint32_t end = 0;
    bool operator==(const Position&) const = default;
};

/// The closed set of nodes; each has the struct of its name below.
enum class ExprKind {
    kNumberLiteral,
    kStringLiteral,
    kVectorSelector,
    kMatrixSelector,
    kSubquery,
    kBinary,
    kUnary,
    kAggregate,
    kCall,
    kParen,
    kDuration,
};

/// The base of all nodes. A tree that parse_expr gave back is immutable and shared: safe to read
/// from any thread. Use the kind to tell nodes apart and as<T>() to reach one's fields.
struct Expr {
    Expr(const Expr&) = delete;
    Expr& operator=(const Expr&) = delete;
    virtual ~Expr() = default;

    const ExprKind kind;
    /// What the expression evaluates to; known when the node is made.
    ValueType type = ValueType::kNone;
    Position position;
    /// 1 for a leaf, else 1 + the largest of the children's; the parser keeps it within
    /// ParseOptions::depth_max, so that recursion over a tree is bounded.
    std::uint32_t height = 1;

protected:
    Expr(ExprKind node_kind, ValueType node_type) : kind(node_kind), type(node_type) {}
};
using ExprPtr = std::shared_ptr<const Expr>;

/// The node as what its kind says it is.
template <class T>
[[nodiscard]] const T& as(const Expr& expr) {
    KPID_ASSERT(expr.kind == T::kKind);  // The caller looked at the kind.
    return static_cast<const T&>(expr);
}
/// The same, or nullptr when the kind is another.
template <class T>
[[nodiscard]] const T* get_if(const Expr& expr) {
    return expr.kind == T::kKind ? static_cast<const T*>(&expr) : nullptr;
}

struct NumberLiteral final : Expr {
    static constexpr ExprKind kKind = ExprKind::kNumberLiteral;
    NumberLiteral() : Expr(kKind, ValueType::kScalar) {}

    double value = 0;
    /// Written as a duration ("5m" is 300); printed as one again.
    bool is_duration = false;
};

struct StringLiteral final : Expr {
    static constexpr ExprKind kKind = ExprKind::kStringLiteral;
    StringLiteral() : Expr(kKind, ValueType::kString) {}

    std::string value;  ///< Without quotes, escapes resolved.
};

/// Arithmetic on durations (`[5m*2]`, `offset -(1m+step())`), in seconds. Children are
/// NumberLiteral or DurationExpr. Experimental.
struct DurationExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kDuration;
    DurationExpr() : Expr(kKind, ValueType::kScalar) {}

    DurationOperator op = DurationOperator::kAdd;
    ExprPtr lhs;           ///< Null for a unary + or -, step() and range().
    ExprPtr rhs;           ///< Null for step() and range().
    bool wrapped = false;  ///< Stood in parentheses.
};
using DurationExprPtr = std::shared_ptr<const DurationExpr>;

/// Where `@` pins a selector.
struct AtModifier {
    enum class Kind { kTimestamp, kStart, kEnd };
    Kind kind = Kind::kTimestamp;
    Timestamp time;  ///< For kTimestamp.
};

/// `offset` and `@` of a selector or a subquery. Without an offset both offset fields are zero and
/// null.
struct TimeModifiers {
    Duration offset{0};           ///< As written; positive looks back.
    DurationExprPtr offset_expr;  ///< Set instead of `offset` when it must be computed.
    std::optional<AtModifier> at;
};

struct VectorSelector final : Expr {
    static constexpr ExprKind kKind = ExprKind::kVectorSelector;
    VectorSelector() : Expr(kKind, ValueType::kVector) {}

    /// The metric's name where it is written before the braces; else empty (`{"up"}` has only a
    /// matcher).
    std::string name;
    /// All conditions, also the one for `name` on __name__.
    std::vector<model::Matcher> matchers;
    TimeModifiers modifiers;
    bool anchored = false;  ///< Experimental.
    bool smoothed = false;  ///< Experimental.
    /// The second argument of info(): may be without a condition that excludes the empty value.
    bool bypass_empty_matcher_check = false;
};

/// `selector[range]`. `offset` and `@` written behind it belong to `selector->modifiers`.
struct MatrixSelector final : Expr {
    static constexpr ExprKind kKind = ExprKind::kMatrixSelector;
    MatrixSelector() : Expr(kKind, ValueType::kMatrix) {}

    std::shared_ptr<const VectorSelector> selector;
    Duration range{0};
    DurationExprPtr range_expr;  ///< Set instead of `range` when it must be computed.
};

/// `expr[range:step]`.
struct SubqueryExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kSubquery;
    SubqueryExpr() : Expr(kKind, ValueType::kMatrix) {}

    ExprPtr expr;
    Duration range{0};
    DurationExprPtr range_expr;
    Duration step{0};  ///< Zero: the engine's default.
    DurationExprPtr step_expr;
    TimeModifiers modifiers;
};

/// How series of two vectors find each other.
struct VectorMatching {
    /// kManyToMany exactly for set operators; group_left is kManyToOne, group_right kOneToMany.
    MatchCardinality cardinality = MatchCardinality::kOneToOne;
    bool on = false;                   ///< `labels` are the ones compared; else the ones ignored.
    std::vector<std::string> labels;   ///< Of on(…) or ignoring(…).
    std::vector<std::string> include;  ///< Of group_left(…) or group_right(…).
    std::optional<double> fill_lhs;    ///< Experimental: stands in for a missing left side.
    std::optional<double> fill_rhs;    ///< Experimental: stands in for a missing right side.
};

struct BinaryExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kBinary;
    BinaryExpr() : Expr(kKind, ValueType::kVector) {}

    BinaryOperator op = BinaryOperator::kAdd;
    ExprPtr lhs;
    ExprPtr rhs;
    bool return_bool = false;                ///< `bool`: 0 or 1 instead of filtering.
    std::optional<VectorMatching> matching;  ///< Present exactly when both sides are vectors.
};

struct UnaryExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kUnary;
    UnaryExpr() : Expr(kKind, ValueType::kNone) {}

    UnaryOperator op = UnaryOperator::kMinus;
    ExprPtr expr;
};

struct AggregateExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kAggregate;
    AggregateExpr() : Expr(kKind, ValueType::kVector) {}

    AggregateOperator op = AggregateOperator::kSum;
    ExprPtr expr;
    ExprPtr param;  ///< Null unless takes_parameter(op); a string for count_values, else a scalar.
    std::vector<std::string> grouping;
    bool without = false;
};

struct Call final : Expr {
    static constexpr ExprKind kKind = ExprKind::kCall;
    Call() : Expr(kKind, ValueType::kNone) {}

    const FunctionSignature* function = nullptr;  ///< Never null in a parsed tree.
    std::vector<ExprPtr> arguments;
};

struct ParenExpr final : Expr {
    static constexpr ExprKind kKind = ExprKind::kParen;
    ParenExpr() : Expr(kKind, ValueType::kNone) {}

    ExprPtr expr;
};

}  // namespace kpid::promql
