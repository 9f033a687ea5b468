// What describes a KPI: unit, actions, drivers, benchmarks.

#include "config/kpi_decoder.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::config {

void KpiDecoder::decode_unit() {
    if (const YamlNode* node = fields_.require("unit")) {
        out_.definition.unit = read_unit(context_, *node);
    }
}

void KpiDecoder::decode_actions() {
    const YamlNode* node = fields_.take("actions");
    if (node == nullptr) {
        return;
    }
    for_each_item(context_, *node, "actions", [&](const YamlNode& item) {
        Fields fields(context_, item, "action");
        kpi::Action action;
        fields.choice("when", {"warning", "critical"}, action.when);
        fields.require("do");
        fields.word("do", action.text);
        fields.url("url", action.url);
        fields.finish();
        out_.definition.actions.push_back(std::move(action));
    });
}

void KpiDecoder::decode_drivers() {
    const YamlNode* node = fields_.take("drivers");
    if (node == nullptr) {
        return;
    }
    for_each_item(context_, *node, "drivers", [&](const YamlNode& item) {
        Fields fields(context_, item, "driver");
        kpi::Driver driver;
        fields.require("kpi");
        if (fields.word("kpi", driver.kpi)) {
            draft_.refer(Reference::Kind::kKpi, driver.kpi, context_, fields.take("kpi")->position);
        }
        driver.share = read_number(fields, "share");
        if (driver.share && (*driver.share < 0 || *driver.share > 1)) {
            context_.error(fields.key_position("share"), "out-of-range",
                           "\"share\" must be between 0% and 100%");
        }
        fields.finish();
        out_.definition.drivers.push_back(std::move(driver));
    });
}

void KpiDecoder::decode_benchmark() {
    const YamlNode* node = fields_.take("benchmark");
    if (node == nullptr) {
        return;
    }
    Fields kinds(context_, *node, "benchmark");
    for (const std::string_view key : {"industry", "competitor"}) {
        const YamlNode* value = kinds.take(key);
        if (value == nullptr) {
            continue;
        }
        Fields fields(context_, *value, fmt::format("benchmark \"{}\"", key));
        kpi::Benchmark benchmark;
        benchmark.key = key;
        fields.word("name", benchmark.name);
        benchmark.value = read_number(fields, "value");
        benchmark.growth = read_number(fields, "growth");
        fields.word("source", benchmark.source);
        if (fields.word("as_of", benchmark.as_of) && !is_date_or_period(benchmark.as_of)) {
            context_.error(fields.key_position("as_of"), "date",
                           fmt::format("\"{}\" is not a date such as 2026-01-15", benchmark.as_of));
        }
        fields.finish();
        out_.definition.benchmarks.push_back(std::move(benchmark));
    }
    kinds.finish();
}

}  // namespace kpid::config
