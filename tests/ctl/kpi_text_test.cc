#include "ctl/kpi_text.h"

#include <gtest/gtest.h>

namespace kpid::ctl {
namespace {

struct Texts {
    std::string value;
    std::string target;
};

Texts texts_of(std::string_view json, std::string_view unit) {
    const auto document = wire::JsonDocument::parse(json);
    return {value_text(document->root(), unit_named(unit)),
            target_text(document->root(), unit_named(unit))};
}

TEST(KpiText, IsInTheUnitAsThePageWritesIt) {
    const Texts percent = texts_of(R"({"value":0.00679,"target":{"at_most":0.01}})", "percent");
    EXPECT_EQ(percent.value, model::format_in_unit(0.00679, {.kind = model::UnitKind::kRatio}));
    EXPECT_EQ(percent.value.substr(percent.value.size() - 2), " %");
    EXPECT_EQ(percent.target, "at most 1 %");
    const Texts money = texts_of(R"({"value":12300,"target":{"between":[1,2000]}})", "EUR");
    EXPECT_EQ(money.value, "12,300 EUR");
    EXPECT_EQ(money.target, "between 1 EUR and 2,000 EUR");
    EXPECT_EQ(texts_of(R"({"value":5400})", "seconds").value, "1h30m");
}

TEST(KpiText, HasADashForWhatIsNotThere) {
    const Texts none = texts_of(R"({"value":null,"target":null})", "count");
    EXPECT_EQ(none.value, "-");
    EXPECT_EQ(none.target, "-");
    EXPECT_EQ(texts_of("{}", "count").target, "-");
}

TEST(KpiText, KnowsUnitsByTheirNames) {
    for (const model::Unit& unit :
         std::vector<model::Unit>{{.kind = model::UnitKind::kBytes},
                                  {.kind = model::UnitKind::kRate, .per = "month"},
                                  {.kind = model::UnitKind::kMoney, .currency = "USD"},
                                  {.kind = model::UnitKind::kScore}}) {
        EXPECT_EQ(unit_named(unit.short_name()), unit) << unit.short_name();
    }
    EXPECT_EQ(unit_named("what").kind, model::UnitKind::kCount);
}

}  // namespace
}  // namespace kpid::ctl
