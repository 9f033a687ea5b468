// A random expression over random series: no crash, errors are of the known kinds, and a range
// query says at each step what an instant query says there.

#include "kpid/base/assert.h"
#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "support/engine_check.h"
#include "support/expression_generator.h"
#include "support/random_series.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace kpid::promql {
namespace {

constexpr std::size_t kSamplesMax = 200'000;

// Choices from the input; behind its end always the first.
class Choices {
public:
    explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::size_t below(std::size_t n) {
        if (bytes_.empty()) {
            return 0;
        }
        const std::size_t choice = bytes_.front() % n;
        bytes_ = bytes_.subspan(1);
        return choice;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

}  // namespace
}  // namespace kpid::promql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid;
    using namespace kpid::promql;
    constexpr std::size_t kBytesMax = 1024;
    if (size > kBytesMax) {
        return 0;
    }
    Choices choices({data, size});
    testing::MemoryStorage storage;
    testing::Dice dice(choices.below(256));
    testing::put_random_series(storage, dice, 10 + choices.below(50),
                               std::chrono::seconds(1 + choices.below(60)));
    EngineOptions options;
    options.samples_max = choices.below(8) == 0 ? 100 : kSamplesMax;
    options.lookback = std::chrono::seconds(1 + choices.below(256));
    options.delayed_name_removal = false;
    InlineExecutor executor;
    const Engine engine(options, executor);
    testing::RandomQuery query;
    query.start = Timestamp() - std::chrono::seconds(choices.below(256) * 8);
    query.step = std::chrono::milliseconds(1 + choices.below(256) * 1000);
    query.gaps = 1 + static_cast<std::int64_t>(choices.below(6));

    ParseOptions language;
    language.experimental_functions = true;
    language.duration_expressions = true;
    testing::ExpressionGenerator generator([&](std::size_t n) { return choices.below(n); }, {});
    const std::string text = generator.next();
    const auto expr = parse_expr(text, language);
    KPID_ASSERT(expr.has_value() || expr.error().code == Code::kInvalidArgument);
    if (!expr) {
        return 0;
    }
    const std::string wrong = testing::disagreement(engine, **expr, text, query, storage);
    if (!wrong.empty()) {
        std::fprintf(stderr, "%s\n", wrong.c_str());
    }
    KPID_ASSERT(wrong.empty());
    options.delayed_name_removal = true;
    (void)testing::disagreement(Engine(options, executor), **expr, text, query, storage);
    return 0;
}
