// Any bytes as a template: no crash, bounded output, errors with a place.

#include "kpid/alerting/template.h"
#include "kpid/base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid;
    using namespace kpid::alerting;
    // Loops make long renderings: short texts suffice.
    constexpr std::size_t kBytesMax = 4096;
    if (size > kBytesMax) {
        return 0;
    }
    // The bytes of a string are bytes.
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = Template::parse(text, rule_template_options("fuzz"));
    if (!parsed) {
        KPID_ASSERT(parsed.error().code == Code::kInvalidArgument);
        KPID_ASSERT(parsed.error().message.find("fuzz:") != std::string::npos);
        return 0;
    }
    TemplateEnvironment environment;
    environment.external_url = "http://kpid.example/x";
    environment.query = [](std::string_view) -> Result<std::vector<TemplateSample>> {
        return std::vector<TemplateSample>{{model::Labels{{"a", "b"}}, 1.5}};
    };
    const TemplateOutput out =
        parsed->render(rule_template_data({{"shop", "de"}}, {}, "http://u", 4.25), environment);
    KPID_ASSERT(out.error.has_value() || out.text.size() <= Template::kOutputBytesMax);
    return 0;
}
