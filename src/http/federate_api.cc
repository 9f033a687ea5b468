// Federation.
#include "http/federate_api.h"

#include "http/answer_stream.h"
#include "http/error_status.h"
#include "http/params.h"
#include "kpid/model/classic_names.h"
#include "kpid/model/sample.h"
#include "kpid/promql/parser.h"
#include "kpid/wire/text_encoder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kpid::http {
namespace {

constexpr std::string_view kInstance = "instance";

struct NewestSample {
    model::Labels labels;
    model::Sample sample;
};

// The newest sample of each series that still holds at `now`.
class NewestSamples {
public:
    NewestSamples(const FederateSources& sources, Timestamp now)
        : sources_(sources), now_(now), engine_(sources.evaluator.snapshot().engine) {}

    [[nodiscard]] Result<void> read(const std::vector<model::Matcher>& matchers,
                                    const std::stop_token& gone) {
        const promql::Lookbacks lookbacks = engine_->options().lookbacks();
        const model::TimeRange range{now_ - lookbacks.base() + Duration(1), now_};
        const std::size_t samples_max = engine_->options().samples_max;
        return sources_.reader.visit(matchers, range,
                                     {.samples_max = samples_max, .history = lookbacks.history()},
                                     [&](model::SeriesColumns& series) -> Result<void> {
                                         if (gone.stop_requested()) {
                                             return Error{Code::kCancelled, "the client has gone"};
                                         }
                                         if (found_.size() >= samples_max) {
                                             return resource_exhausted("too many series");
                                         }
                                         add(series, lookbacks.of(series.labels));
                                         return {};
                                     });
    }

    /// In order of name, then of labels, each series once.
    [[nodiscard]] std::vector<NewestSample> take() {
        std::sort(found_.begin(), found_.end(), [](const NewestSample& a, const NewestSample& b) {
            const int names = a.labels.metric_name().compare(b.labels.metric_name());
            return names != 0 ? names < 0 : a.labels < b.labels;
        });
        const auto same = [](const NewestSample& a, const NewestSample& b) {
            return a.labels == b.labels;
        };
        found_.erase(std::unique(found_.begin(), found_.end(), same), found_.end());
        return std::move(found_);
    }

private:
    void add(const model::SeriesColumns& series, Duration lookback) {
        if (series.times.empty() || series.times.back() <= now_ - lookback ||
            model::is_stale_marker(series.values.back()) || series.labels.metric_name().empty()) {
            return;
        }
        found_.push_back({series.labels, {series.times.back(), series.values.back()}});
    }

    const FederateSources& sources_;
    const Timestamp now_;
    const std::shared_ptr<const promql::Engine> engine_;
    std::vector<NewestSample> found_;
};

class FederatePart final : public AnswerPart {
public:
    FederatePart(std::vector<NewestSample> samples, const model::Labels& external, bool classic)
        : samples_(std::move(samples)), classic_(classic) {
        external_.assign(external.begin(), external.end());
        if (!external.has(kInstance)) {
            external_.push_back({std::string(kInstance), ""});
            std::sort(external_.begin(), external_.end());
        }
    }

    bool write_some(std::string& out) override {
        if (at_ == samples_.size()) {
            return false;
        }
        NewestSample& newest = samples_[at_++];
        if (classic_) {
            name_ = model::to_classic_metric_name(newest.labels.metric_name());
            newest.labels = model::with_classic_names(newest.labels);
        } else {
            name_ = newest.labels.metric_name();
        }
        if (name_ != family_) {
            wire::encode_untyped(name_, out);
            family_ = name_;
        }
        list_labels(newest.labels);
        wire::encode_text_sample(name_, views_, newest.sample, out);
        newest.labels = {};
        return true;
    }

private:
    void list_labels(const model::Labels& labels) {
        views_.clear();
        for (const model::Label& label : labels) {
            views_.push_back({label.name, label.value});
        }
        for (const model::Label& label : external_) {
            if (!labels.has(label.name)) {
                views_.push_back({label.name, label.value});
            }
        }
    }

    std::vector<NewestSample> samples_;
    std::vector<model::Label> external_;
    const bool classic_;
    std::size_t at_ = 0;
    std::string name_;
    std::string family_;
    std::vector<model::LabelView> views_;
};

net::HttpResponse text_error(const Error& error) {
    return net::text_response(error_status(error.code).status, error.message);
}

Result<std::vector<NewestSample>> find_samples(const FederateSources& sources, Timestamp now,
                                               const net::HttpRequest& request) {
    KPID_TRY(const net::HttpParams params, net::request_params(request));
    std::vector<std::vector<model::Matcher>> sets;
    for (const std::string_view text : params.get_all("match[]")) {
        KPID_TRY(std::vector<model::Matcher> matchers, promql::parse_metric_selector(text));
        sets.push_back(std::move(matchers));
    }
    NewestSamples newest(sources, now);
    for (const std::vector<model::Matcher>& matchers : sets) {
        KPID_CHECK_OK(newest.read(matchers, request.gone));
    }
    return newest.take();
}

}  // namespace

net::HttpResponse federate_response(const FederateSources& sources, Timestamp now,
                                    const net::HttpRequest& request) {
    Result<std::vector<NewestSample>> samples = find_samples(sources, now, request);
    if (!samples) {
        return text_error(samples.error());
    }
    const bool utf8 =
        request.headers.get_or(net::header::kAccept, "").find("escaping=allow-utf-8") !=
        std::string_view::npos;
    auto part = std::make_unique<FederatePart>(
        *std::move(samples), sources.evaluator.snapshot().config->global.external_labels, !utf8);
    return text_answer(utf8 ? wire::kUtf8TextContentType : wire::kTextContentType,
                       PiecewiseText("", std::move(part), ""), sources.writers);
}

}  // namespace kpid::http
