// The demo source: the made-up shop as samples.
#include "ingest/collectors.h"
#include "ingest/demo_shape.h"

#include <algorithm>
#include <optional>

namespace kpid::ingest {
namespace {

class DemoCollector final : public Collector {
public:
    net::Task<Result<Collected>> collect(Timestamp at) override {
        if (!began_) {
            began_ = at;
        }
        // The time of day may jump back.
        const DemoShape shape = DemoShape::at(std::max(at - *began_, Duration(0)));
        Collected collected;
        const auto add = [&](std::string_view name, double value) {
            collected.samples.push_back({{{model::kMetricName, name}}, at, value});
        };
        add("demo_checkout_error_ratio", shape.error_ratio);
        add("demo_response_seconds", shape.response_seconds);
        add("demo_orders_total", static_cast<double>(shape.orders));
        co_return collected;
    }

private:
    std::optional<Timestamp> began_;
};

}  // namespace

std::unique_ptr<Collector> make_demo_collector() {
    return std::make_unique<DemoCollector>();
}

}  // namespace kpid::ingest
