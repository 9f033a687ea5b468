// The lines of a dump: a label set as Go prints it, a float, milliseconds.
#include "kpid/wire/tsdb_dump.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "kpid/model/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace kpid::wire {
namespace {

constexpr std::uint32_t kCodePointMax = 0x10FFFF;

void append_utf8(std::uint32_t code, std::string& out) {
    const auto byte = [&out](std::uint32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80U) {
        byte(code);
    } else if (code < 0x800U) {
        byte(0xC0U | (code >> 6U));
        byte(0x80U | (code & 0x3FU));
    } else if (code < 0x10000U) {
        byte(0xE0U | (code >> 12U));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    } else {
        byte(0xF0U | (code >> 18U));
        byte(0x80U | ((code >> 12U) & 0x3FU));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    }
}

// One line. Operations give false at what does not fit; `error_` says what was wanted.
class LineReader {
public:
    explicit LineReader(std::string_view line) : rest_(line) {}

    [[nodiscard]] const std::string& error() const { return error_; }

    // Up to the closing brace; what stood between is given back by bytes_before().
    bool read_labels(std::vector<model::Label>& labels) {
        if (!take('{')) {
            return fail("expected {");
        }
        skip_blanks();
        while (!take('}')) {
            if (!labels.empty() && !take(',')) {
                return fail("expected , or } after a label");
            }
            skip_blanks();
            if (labels.size() == TsdbDumpLimits::kLabelsMax) {
                return fail(fmt::format("more than {} labels", TsdbDumpLimits::kLabelsMax));
            }
            if (!read_label(labels.emplace_back())) {
                return false;
            }
            skip_blanks();
        }
        return true;
    }

    // The bytes of the label block when it equals the last one's: then it need not be read.
    bool take_same(std::string_view block) {
        if (block.empty() || !rest_.starts_with(block)) {
            return false;
        }
        rest_.remove_prefix(block.size());
        return true;
    }

    bool read_value(double& value) {
        if (!take(' ')) {
            return fail("expected a blank and a value after the labels");
        }
        if (rest_.starts_with('{')) {
            return fail("native histograms are not supported");
        }
        const std::string_view token = take_token();
        const Result<double> read = parse_float(token);
        if (!read) {
            return fail(fmt::format("\"{}\" is no value", token));
        }
        value = std::isnan(*read) ? std::bit_cast<double>(model::kNormalNanBits) : *read;
        return true;
    }

    bool read_time(Timestamp& time) {
        if (!take(' ')) {
            return fail("expected a blank and a time after the value");
        }
        const std::string_view token = take_token();
        std::int64_t milliseconds = 0;
        const auto [end, failure] =
            std::from_chars(token.data(), token.data() + token.size(), milliseconds);
        if (failure != std::errc() || end != token.data() + token.size()) {
            return fail(fmt::format("\"{}\" is no time in milliseconds", token));
        }
        time = Timestamp(milliseconds);
        return rest_.empty() || fail("expected the end of the line after the time");
    }

    [[nodiscard]] std::size_t left() const { return rest_.size(); }

private:
    bool fail(std::string text) {
        error_ = std::move(text);
        return false;
    }
    bool take(char c) {
        if (!rest_.starts_with(c)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }
    void skip_blanks() {
        while (take(' ')) {
        }
    }
    std::string_view take_token() {
        const std::string_view token = rest_.substr(0, rest_.find(' '));
        rest_.remove_prefix(token.size());
        return token;
    }

    bool read_label(model::Label& label) {
        if (rest_.starts_with('"')) {
            if (!read_quoted(label.name)) {
                return false;
            }
        } else {
            label.name = rest_.substr(0, rest_.find_first_of("=\",{} "));
            rest_.remove_prefix(label.name.size());
            if (!is_valid_utf8(label.name)) {
                return fail("a label is not UTF-8");
            }
        }
        if (label.name.empty()) {
            return fail("expected a label's name");
        }
        if (!take('=')) {
            return fail("expected = after a label's name");
        }
        return read_quoted(label.value);
    }

    bool read_quoted(std::string& out) {
        if (!take('"')) {
            return fail("expected a text in quotes");
        }
        for (;;) {
            const std::size_t plain = std::min(rest_.find_first_of("\"\\"), rest_.size());
            out += rest_.substr(0, plain);
            rest_.remove_prefix(plain);
            if (take('"')) {
                return is_valid_utf8(out) || fail("a label is not UTF-8");
            }
            if (!take('\\')) {
                return fail("a quote is not closed");
            }
            if (!read_escape(out)) {
                return fail("a quoted text has an unknown escape");
            }
        }
    }

    // What strconv.Quote writes after the backslash.
    bool read_escape(std::string& out) {
        static constexpr std::string_view kLetters = "abfnrtv\\\"";
        static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
        if (rest_.empty()) {
            return false;
        }
        const char letter = rest_.front();
        rest_.remove_prefix(1);
        if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
            out += kMeanings[known];
            return true;
        }
        const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
        if (digits == 0 || rest_.size() < digits) {
            return false;
        }
        const std::string_view number = rest_.substr(0, digits);
        const char* const number_end = number.data() + number.size();
        std::uint32_t code = 0;
        const auto [end, failure] = std::from_chars(number.data(), number_end, code, 16);
        if (failure != std::errc() || end != number_end || code > kCodePointMax) {
            return false;
        }
        rest_.remove_prefix(digits);
        if (letter == 'x') {
            out += static_cast<char>(code);
        } else {
            append_utf8(code, out);
        }
        return true;
    }

    std::string_view rest_;
    std::string error_;
};

std::optional<std::string> check_labels(std::vector<model::Label>& labels) {
    std::sort(labels.begin(), labels.end());
    const auto twice = std::adjacent_find(
        labels.begin(), labels.end(),
        [](const model::Label& a, const model::Label& b) { return a.name == b.name; });
    if (twice != labels.end()) {
        return fmt::format("label \"{}\" stands twice", twice->name);
    }
    const bool named = std::any_of(labels.begin(), labels.end(), [](const model::Label& label) {
        return label.name == model::kMetricName && !label.value.empty();
    });
    return named ? std::optional<std::string>() : "there is no metric name (label __name__)";
}

// Reads line by line; remembers the last series.
class DumpReader {
public:
    bool read_line(std::string_view line, std::size_t number) {
        LineReader reader(line);
        if (!reader.take_same(block_)) {
            std::vector<model::Label> labels;
            if (!reader.read_labels(labels)) {
                return fail(reader.error());
            }
            if (auto wrong = check_labels(labels)) {
                return fail(*std::move(wrong));
            }
            block_ = line.substr(0, line.size() - reader.left());
            labels_ = model::Labels::from(std::move(labels));
        }
        TsdbDumpSample sample{.labels = labels_, .line = number};
        if (!reader.read_value(sample.value) || !reader.read_time(sample.time)) {
            return fail(reader.error());
        }
        samples_.push_back(std::move(sample));
        return true;
    }

    [[nodiscard]] const std::string& error() const { return error_; }
    [[nodiscard]] std::vector<TsdbDumpSample> take() && { return std::move(samples_); }

private:
    bool fail(std::string text) {
        error_ = std::move(text);
        return false;
    }

    std::string_view block_;
    model::Labels labels_;
    std::vector<TsdbDumpSample> samples_;
    std::string error_;
};

}  // namespace

Result<std::vector<TsdbDumpSample>> parse_tsdb_dump(std::string_view text) {
    DumpReader reader;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.size() > TsdbDumpLimits::kLineBytesMax) {
            return invalid_argument(fmt::format("line {}: longer than {} bytes", number,
                                                TsdbDumpLimits::kLineBytesMax));
        }
        if (!line.empty() && !reader.read_line(line, number)) {
            return invalid_argument(fmt::format("line {}: {}", number, reader.error()));
        }
    }
    return std::move(reader).take();
}

}  // namespace kpid::wire
