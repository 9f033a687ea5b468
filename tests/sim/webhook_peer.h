#pragma once
// A webhook receiver that keeps books: who was told what, and what should never have been told.

#include "net/http_client.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kpid::testing {

/// Answers as its mood is. Books are kept over messages that it processed, each webhook-id once, as
/// receivers are meant to. One thread.
class WebhookPeer final : public net::HttpClient {
public:
    enum class Mood {
        kWell,
        kRefuses,      ///< No connection.
        kOverloaded,   ///< 503, not processed.
        kLosesAnswer,  ///< Processed, but the answer never arrives.
    };
    void set_mood(Mood mood) { mood_ = mood; }

    [[nodiscard]] net::Task<Result<net::HttpClientResponse>> send(
        net::HttpClientRequest request) override {
        ++requests_;
        switch (mood_) {
            case Mood::kRefuses:
                co_return unavailable("connection refused");
            case Mood::kOverloaded:
                co_return net::HttpClientResponse{.status = 503};
            case Mood::kLosesAnswer:
                process(request);
                co_return Error{Code::kDeadlineExceeded, "no answer"};
            case Mood::kWell:
                break;
        }
        process(request);
        co_return net::HttpClientResponse{.status = 200};
    }

    /// Alerts that were told to fire and not yet how they ended: fingerprint and name.
    [[nodiscard]] const std::map<std::string, std::string>& firing() const { return firing_; }
    [[nodiscard]] const std::vector<std::string>& breaches() const { return breaches_; }
    [[nodiscard]] std::size_t starts() const { return starts_; }
    [[nodiscard]] std::size_t ends() const { return ends_; }
    [[nodiscard]] std::size_t requests() const { return requests_; }

private:
    void process(const net::HttpClientRequest& request) {
        const std::string id(request.headers.get_or("webhook-id", ""));
        const auto [known, fresh] = bodies_.try_emplace(id, request.body);
        if (!fresh) {
            if (known->second != request.body) {
                breaches_.push_back("another body under the id " + id);
            }
            return;
        }
        simdjson::dom::parser parser;
        simdjson::dom::element root;
        if (id.empty() || parser.parse(request.body).get(root) != simdjson::SUCCESS) {
            breaches_.push_back("a message without an id or without JSON");
            return;
        }
        for (const simdjson::dom::element alert : root["alerts"].get_array()) {
            take(alert);
        }
    }

    void take(simdjson::dom::element alert) {
        const std::string_view given = alert["fingerprint"];
        const std::string fingerprint(given);
        const std::string name = simdjson::minify(alert["labels"]);
        const auto [owner, first] = names_.try_emplace(name, fingerprint);
        if (!first && owner->second != fingerprint) {
            breaches_.push_back("another fingerprint for " + name);
        }
        if (std::string_view(alert["status"]) == "firing") {
            starts_ += firing_.insert_or_assign(fingerprint, name).second ? 1U : 0U;
        } else if (firing_.erase(fingerprint) == 0) {
            breaches_.push_back("an end of what does not fire: " + name);
        } else {
            ++ends_;
        }
    }

    Mood mood_ = Mood::kWell;
    std::map<std::string, std::string> bodies_;  // by webhook-id
    std::map<std::string, std::string> names_;   // fingerprints by labels
    std::map<std::string, std::string> firing_;
    std::vector<std::string> breaches_;
    std::size_t starts_ = 0;
    std::size_t ends_ = 0;
    std::size_t requests_ = 0;
};

}  // namespace kpid::testing
