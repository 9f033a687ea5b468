#include "kpid/model/unit.h"

#include <gtest/gtest.h>

#include <limits>

namespace kpid::model {
namespace {

TEST(Unit, ValuesReadAsPeopleWriteThem) {
    struct Case {
        Unit unit;
        double value;
        std::string want;
    };
    const std::vector<Case> cases{
        {{.kind = UnitKind::kRatio}, 0.125, "12.5 %"},
        {{.kind = UnitKind::kRatio, .decimals = 1}, 0.5, "50.0 %"},
        {{.kind = UnitKind::kCount}, 1234567, "1,234,567"},
        {{.kind = UnitKind::kCount}, -999, "-999"},
        {{.kind = UnitKind::kMoney, .currency = "EUR"}, 12300.5, "12,300.5 EUR"},
        {{.kind = UnitKind::kDuration}, 5400, "1h30m"},
        {{.kind = UnitKind::kDuration}, 0.25, "250ms"},
        {{.kind = UnitKind::kScore, .decimals = 2}, 4.5, "4.50"},
        {{.kind = UnitKind::kBytes}, 1536, "1.5 KiB"},
        {{.kind = UnitKind::kCount}, std::numeric_limits<double>::quiet_NaN(), "NaN"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(format_in_unit(c.value, c.unit), c.want);
    }
}

}  // namespace
}  // namespace kpid::model
