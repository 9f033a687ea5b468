// Adversarial texts and queries: what parsing allocates grows with the text and no faster, and no
// query holds more memory than its limit on samples stands for.

#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "support/memory_storage.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

// What the test's only thread has allocated; the sanitizers' own memory is not seen here.
struct Heap {
    std::size_t calls = 0;
    std::size_t bytes = 0;
    std::size_t live = 0;
    std::size_t peak = 0;
};
Heap& heap() {
    static Heap the_heap;
    return the_heap;
}

}  // namespace

void* operator new(std::size_t size) {
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        std::abort();
    }
    const std::size_t usable = malloc_usable_size(memory);
    ++heap().calls;
    heap().bytes += usable;
    heap().live += usable;
    heap().peak = std::max(heap().peak, heap().live);
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return operator new(size);
}
void operator delete(void* memory) noexcept {
    heap().live -= memory == nullptr ? 0 : malloc_usable_size(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    operator delete(memory);
}

void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
    operator delete(memory);
}

namespace kpid::promql {
namespace {

ParseOptions whole_language() {
    ParseOptions options;
    options.experimental_functions = true;
    options.duration_expressions = true;
    options.fill_modifiers = true;
    options.extended_range_selectors = true;
    return options;
}

std::string repeat(std::string_view text, std::size_t count) {
    std::string answer;
    for (std::size_t i = 0; i < count; ++i) {
        answer += text;
    }
    return answer;
}

// Texts that grow with n at one place each.
struct Shape {
    std::string_view before;
    std::string_view each;  // {} is the number of the repetition.
    std::string_view behind;

    [[nodiscard]] std::string text(std::size_t n) const {
        std::string answer(before);
        for (std::size_t i = 0; i < n; ++i) {
            answer += fmt::format(fmt::runtime(each), i);
        }
        return answer.append(behind);
    }
};

constexpr Shape kShapes[] = {
    {"a{", "x{}=\"y\",", "}"},
    {"sum by (a", ",l{}", ") (a)"},
    {"a + on (a", ",l{}", ") a"},
    {"a + on (a) group_left (b", ",l{}", ") a"},
    {"label_join(a, \"x\", \"y\"", ", \"z{}\"", ")"},
    {"sort_by_label(a", ", \"l{}\"", ")"},
    {"a ", "# comment {}\n", ""},
    {"", " \n\t", "a"},
    {"\"", "\\u00e9x", "\""},
    {"`", "raw{}", "`"},
    {"a{x=~\"", "(?:b{}|c)", "\"}"},
    {"1", "0", ""},
    {"1", "_0", ""},
    {"a", "b:c_{}", ""},
    {"a[1m] offset ", "-", "1m"},
    {"", "(", ""},
    {"", "a + ", "a"},
    {"", "-", "a"},
    {"", "a{{{{b=\"", ""},
    {"a[", "1m", "]"},
    {"a @ ", "1", ""},
};

Heap spent_on(const std::string& text) {
    const Heap before = heap();
    const auto expr = parse_expr(text, whole_language());
    Heap spent = heap();
    spent.calls -= before.calls;
    spent.bytes -= before.bytes;
    return spent;
}

TEST(Limits, WhatParsingAllocatesGrowsWithTheTextAndNoFaster) {
    constexpr std::size_t kTimes = 500;
    constexpr std::size_t kMore = 6;
    for (const Shape& shape : kShapes) {
        SCOPED_TRACE(fmt::format("{}…{}", shape.before, shape.each));
        const Heap few = spent_on(shape.text(kTimes));
        const Heap many = spent_on(shape.text(kTimes * kMore));
        EXPECT_LE(many.calls, (few.calls + 100) * kMore * 5 / 4);
        // Arrays that double hold up to twice what they need.
        EXPECT_LE(many.bytes, (few.bytes + 10'000) * kMore * 2);
    }
}

// Work that allocates nothing shows only by its not ending: of the longest lists a square would
// take hours.
TEST(Limits, LongTextsAreDealtWith) {
    for (const Shape& shape : kShapes) {
        SCOPED_TRACE(fmt::format("{}…{}", shape.before, shape.each));
        constexpr std::size_t kTimes = 10'000;
        const std::string text = shape.text(kTimes);
        (void)parse_expr(text, whole_language());
        (void)parse_series_description(text);
    }
    const Shape list{"", ",label{}", ""};
    const std::string labels = "a" + list.text(20'000);
    EXPECT_TRUE(parse_expr("a + on (x" + list.text(20'000) + ") group_left (y) a").has_value());
    // The names in common are looked for.
    EXPECT_FALSE(parse_expr("a + on (x, " + labels + ") group_left (" + labels + ") a"));
}

class LimitsOfQueries : public ::testing::Test {
protected:
    LimitsOfQueries() {
        for (int i = 0; i < kSeries; ++i) {
            const model::Labels labels = model::Labels::from(
                {{std::string(model::kMetricName), "m"}, {"host", fmt::format("host-{}", i)}});
            for (int k = 0; k < kSamples; ++k) {
                storage_.put(labels, Timestamp(k * 15'000), k % 17 + i);
            }
        }
    }

    static constexpr int kSeries = 40;
    static constexpr int kSamples = 400;
    kpid::testing::MemoryStorage storage_;
    InlineExecutor executor_;
};

TEST_F(LimitsOfQueries, NoQueryHoldsMoreThanItsSamplesStandFor) {
    constexpr std::size_t kSamplesMax = 10'000;
    // A value, its time, and as much again while arrays grow; and what series cost beside.
    constexpr std::size_t kBytesMax = kSamplesMax * 48 + 2 * 1024 * 1024;
    const Engine engine({.samples_max = kSamplesMax}, executor_);
    const std::string text =
        repeat("label_join(", 60) + "m" + repeat(", \"host\", \"/\", \"host\", \"host\")", 60);
    for (const std::string& expr_text :
         {std::string("m"), std::string("m[1h]"), std::string("rate(m[1h])"),
          std::string("m + on (host) m"), std::string("sum by (host) (m or m or m)"),
          std::string("topk(5, m) + count_values(\"v\", m)"),
          std::string("max_over_time(m[1h:1s])"), std::string("vector(time())[10y:1ms]"),
          std::string("m[10y:1ms]"), std::string("quantile_over_time(0.5, m[1h:10s])"),
          repeat("label_replace(", 60) + "m" +
              repeat(", \"host\", \"$1$1\", \"host\", \"(.*)\")", 60),
          text, "time()" + repeat(" + time()", 900), "m" + repeat(" + m", 900),
          "m" + repeat(" or m", 900), repeat("abs(", 900) + "m" + repeat(")", 900),
          repeat("max_over_time((", 30) + "m" + repeat(")[1h:15s])", 30)}) {
        SCOPED_TRACE(expr_text.substr(0, 60));
        const auto expr = parse_expr(expr_text, whole_language());
        ASSERT_TRUE(expr.has_value()) << expr.error().message;
        const auto check = [&](const auto& answer) {
            if (!answer) {
                EXPECT_EQ(answer.error().code, Code::kUnprocessable) << answer.error().message;
            }
        };
        const std::size_t before = heap().live;
        heap().peak = heap().live;
        check(engine.instant(**expr, Timestamp(3'600'000), storage_));
        EXPECT_LE(heap().peak - before, kBytesMax);
        heap().peak = heap().live;
        if ((*expr)->type != ValueType::kMatrix) {
            check(
                engine.range(**expr, Timestamp(0), Timestamp(1'500'000), Duration(1000), storage_));
        }
        EXPECT_LE(heap().peak - before, kBytesMax);
    }
}

TEST_F(LimitsOfQueries, NoLabelValueGrowsWithoutBound) {
    const Engine engine({}, executor_);
    for (const std::string& text :
         {repeat("label_replace(", 40) + "m" +
              repeat(", \"host\", \"$1$1\", \"host\", \"(.*)\")", 40),
          repeat("label_join(", 40) + "m" + repeat(", \"host\", \"\", \"host\", \"host\")", 40)}) {
        const auto expr = parse_expr(text);
        ASSERT_TRUE(expr.has_value());
        const auto answer = engine.instant(**expr, Timestamp(0), storage_);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().code, Code::kUnprocessable);
        EXPECT_NE(answer.error().message.find("would be longer"), std::string::npos);
    }
}

}  // namespace
}  // namespace kpid::promql
