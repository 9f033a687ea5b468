// The names of what trees are made of.

#include "kpid/promql/ast.h"

namespace kpid::promql {

std::string_view to_string(ValueType type) {
    switch (type) {
        case ValueType::kNone:
            return "none";
        case ValueType::kScalar:
            return "scalar";
        case ValueType::kVector:
            return "vector";
        case ValueType::kMatrix:
            return "matrix";
        case ValueType::kString:
            return "string";
    }
    return "none";
}

std::string_view documented_name(ValueType type) {
    switch (type) {
        case ValueType::kVector:
            return "instant vector";
        case ValueType::kMatrix:
            return "range vector";
        case ValueType::kNone:
        case ValueType::kScalar:
        case ValueType::kString:
            return to_string(type);
    }
    return to_string(type);
}

std::string_view to_string(BinaryOperator op) {
    switch (op) {
        case BinaryOperator::kAdd:
            return "+";
        case BinaryOperator::kSub:
            return "-";
        case BinaryOperator::kMul:
            return "*";
        case BinaryOperator::kDiv:
            return "/";
        case BinaryOperator::kMod:
            return "%";
        case BinaryOperator::kPow:
            return "^";
        case BinaryOperator::kAtan2:
            return "atan2";
        case BinaryOperator::kEqual:
            return "==";
        case BinaryOperator::kNotEqual:
            return "!=";
        case BinaryOperator::kLess:
            return "<";
        case BinaryOperator::kLessOrEqual:
            return "<=";
        case BinaryOperator::kGreater:
            return ">";
        case BinaryOperator::kGreaterOrEqual:
            return ">=";
        case BinaryOperator::kAnd:
            return "and";
        case BinaryOperator::kOr:
            return "or";
        case BinaryOperator::kUnless:
            return "unless";
        case BinaryOperator::kTrimUpper:
            return "</";
        case BinaryOperator::kTrimLower:
            return ">/";
    }
    return "";
}

bool is_comparison(BinaryOperator op) {
    switch (op) {
        case BinaryOperator::kEqual:
        case BinaryOperator::kNotEqual:
        case BinaryOperator::kLess:
        case BinaryOperator::kLessOrEqual:
        case BinaryOperator::kGreater:
        case BinaryOperator::kGreaterOrEqual:
            return true;
        default:
            return false;
    }
}

bool is_set_operator(BinaryOperator op) {
    return op == BinaryOperator::kAnd || op == BinaryOperator::kOr || op == BinaryOperator::kUnless;
}

std::string_view to_string(MatchCardinality cardinality) {
    switch (cardinality) {
        case MatchCardinality::kOneToOne:
            return "one-to-one";
        case MatchCardinality::kManyToOne:
            return "many-to-one";
        case MatchCardinality::kOneToMany:
            return "one-to-many";
        case MatchCardinality::kManyToMany:
            return "many-to-many";
    }
    return "";
}

std::string_view to_string(AggregateOperator op) {
    switch (op) {
        case AggregateOperator::kSum:
            return "sum";
        case AggregateOperator::kAvg:
            return "avg";
        case AggregateOperator::kCount:
            return "count";
        case AggregateOperator::kMin:
            return "min";
        case AggregateOperator::kMax:
            return "max";
        case AggregateOperator::kGroup:
            return "group";
        case AggregateOperator::kStddev:
            return "stddev";
        case AggregateOperator::kStdvar:
            return "stdvar";
        case AggregateOperator::kTopk:
            return "topk";
        case AggregateOperator::kBottomk:
            return "bottomk";
        case AggregateOperator::kCountValues:
            return "count_values";
        case AggregateOperator::kQuantile:
            return "quantile";
        case AggregateOperator::kLimitk:
            return "limitk";
        case AggregateOperator::kLimitRatio:
            return "limit_ratio";
    }
    return "";
}

bool takes_parameter(AggregateOperator op) {
    switch (op) {
        case AggregateOperator::kTopk:
        case AggregateOperator::kBottomk:
        case AggregateOperator::kCountValues:
        case AggregateOperator::kQuantile:
        case AggregateOperator::kLimitk:
        case AggregateOperator::kLimitRatio:
            return true;
        default:
            return false;
    }
}

}  // namespace kpid::promql
