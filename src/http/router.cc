// The table of endpoints.
#include "http/router.h"

#include "http/api_json.h"
#include "http/backfill_api.h"
#include "http/error_status.h"
#include "http/exemplars_api.h"
#include "http/expression_api.h"
#include "http/federate_api.h"
#include "http/ingest_api.h"
#include "http/kpi_api.h"
#include "http/metadata_api.h"
#include "http/metrics_page.h"
#include "http/notifications_api.h"
#include "http/pages.h"
#include "http/remote_write_api.h"
#include "http/rules_api.h"
#include "http/targets_api.h"
#include "net/url.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace kpid::http {
namespace {

constexpr std::string_view kApiPrefix = "/api/v1/";
constexpr std::string_view kOptions = "OPTIONS";
constexpr const char* kRemoteWritePath = "/api/v1/write";

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::size_t slash = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, slash));
        path.remove_prefix(slash);
    }
    return segments;
}

// What stands in place of the stars, decoded; nothing when the path does not fit.
std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   std::string_view path_raw) {
    const std::vector<std::string_view> wanted = split_path(pattern);
    const std::vector<std::string_view> given = split_path(path_raw);
    if (wanted.size() != given.size()) {
        return std::nullopt;
    }
    std::vector<std::string> variables;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const Result<std::string> decoded = net::url_decode(given[i]);
        if (!decoded) {
            return std::nullopt;
        }
        if (wanted[i] == "*") {
            variables.push_back(*decoded);
        } else if (wanted[i] != *decoded) {
            return std::nullopt;
        }
    }
    return variables;
}

}  // namespace

Router::Router(RouterDependencies dependencies)
    : dependencies_(std::move(dependencies)),
      watchdog_(dependencies_.timers),
      query_api_(dependencies_.evaluator, dependencies_.reader, dependencies_.timers.clock(),
                 watchdog_, dependencies_.workers),
      admin_api_(dependencies_.storage_admin, dependencies_.enable_admin_api,
                 dependencies_.timers.clock()),
      kpi_past_api_(dependencies_.evaluator, dependencies_.reader, dependencies_.timers.clock(),
                    watchdog_),
      requests_(prometheus::BuildCounter()
                    .Name("kpid_http_requests_total")
                    .Help("Requests by endpoint.")
                    .Register(dependencies_.registry)) {
    add_query_endpoints();
    add_expression_endpoints();
    add_state_endpoints();
    add_status_endpoints();
    add_kpi_endpoints();
    add_ingest_endpoints();
    add_storage_endpoints();
    add_notification_endpoints();
    add_management_endpoints();
}

void Router::add(std::string pattern, std::vector<std::string> methods, Pool pool, Answer answer) {
    prometheus::Counter* requests = &requests_.Add({{"handler", pattern}});
    endpoints_.push_back(
        {std::move(pattern), std::move(methods), pool, std::move(answer), requests});
}

void Router::add_query_endpoints() {
    using Request = net::HttpRequest;
    using Params = net::HttpParams;
    // Each takes its parameters from the query or from a form.
    const auto add_query = [this](std::string pattern, auto answer) {
        add(std::move(pattern), {"GET", "HEAD", "POST"}, Pool::kQueries,
            [answer](const Request& request,
                     const Segments& variables) -> Result<net::HttpResponse> {
                KPID_TRY(const Params params, net::request_params(request));
                return answer(params, variables, QueryCaller{request.arrived, request.gone});
            });
    };
    add_query("/api/v1/query",
              [this](const Params& params, const Segments&, const QueryCaller& caller) {
                  return query_api_.query(params, caller);
              });
    add_query("/api/v1/query_range",
              [this](const Params& params, const Segments&, const QueryCaller& caller) {
                  return query_api_.query_range(params, caller);
              });
    add_query("/api/v1/series", [this](const Params& params, const Segments&, const QueryCaller&) {
        return query_api_.series(params);
    });
    add_query("/api/v1/labels", [this](const Params& params, const Segments&, const QueryCaller&) {
        return query_api_.labels(params);
    });
    add_query("/api/v1/label/*/values",
              [this](const Params& params, const Segments& variables, const QueryCaller&) {
                  return query_api_.label_values(variables[0], params);
              });
    add_query("/api/v1/query_exemplars", [this](const Params& params, const Segments&,
                                                const QueryCaller&) {
        const evaluate::Snapshot snapshot = dependencies_.evaluator.snapshot();
        return exemplars_response(dependencies_.exemplars, snapshot.config->parse_options, params);
    });
}

void Router::add_expression_endpoints() {
    using Request = net::HttpRequest;
    const auto add_parser = [this](std::string pattern, auto respond) {
        add(std::move(pattern), {"GET", "HEAD", "POST"}, Pool::kQueries,
            [this, respond](const Request& request, const Segments&) -> Result<net::HttpResponse> {
                KPID_TRY(const net::HttpParams params, net::request_params(request));
                return respond(dependencies_.evaluator.snapshot().config->parse_options, params);
            });
    };
    add_parser("/api/v1/format_query", &format_query_response);
    add_parser("/api/v1/parse_query", &parse_query_response);
    add("/federate", {"GET", "HEAD"}, Pool::kQueries,
        [this](const Request& request, const Segments&) {
            return federate_response(
                {dependencies_.evaluator, dependencies_.reader, dependencies_.workers},
                dependencies_.timers.clock().wall_now(), request);
        });
}

void Router::add_state_endpoints() {
    using Request = net::HttpRequest;
    const std::vector<std::string> get{"GET", "HEAD"};
    add("/api/v1/rules", get, Pool::kWorkers, [this](const Request& request, const Segments&) {
        return rules_response(dependencies_.evaluator.rule_groups(), request.params);
    });
    add("/api/v1/alerts", get, Pool::kWorkers, [this](const Request&, const Segments&) {
        return alerts_response(dependencies_.evaluator);
    });
    add("/api/v1/alertmanagers", get, Pool::kWorkers, [this](const Request&, const Segments&) {
        return alertmanagers_response(*dependencies_.evaluator.snapshot().config);
    });
    add("/api/v1/targets", get, Pool::kWorkers, [this](const Request& request, const Segments&) {
        return targets_response(dependencies_.ingest.targets(), request.params);
    });
    add("/api/v1/targets/metadata", get, Pool::kWorkers,
        [this](const Request& request, const Segments&) {
            return target_metadata_response(dependencies_.ingest.target_metadata(), request.params);
        });
    add("/api/v1/scrape_pools", get, Pool::kWorkers, [this](const Request&, const Segments&) {
        return scrape_pools_response(*dependencies_.evaluator.snapshot().config);
    });
    add("/api/v1/sources", get, Pool::kWorkers,
        [this](const Request&, const Segments&) { return sources_response(dependencies_.ingest); });
    add("/api/v1/metadata", get, Pool::kWorkers, [this](const Request& request, const Segments&) {
        return metadata_response(dependencies_.metadata, registry_families(dependencies_.registry),
                                 request.params);
    });
    add("/metrics", get, Pool::kWorkers, [this](const Request& request, const Segments&) {
        dependencies_.refresh_metrics();
        return metrics_response(dependencies_.evaluator, dependencies_.registry,
                                request.headers.get_or(net::header::kAccept, ""));
    });
}

void Router::add_status_endpoints() {
    const auto add_status = [this](std::string pattern, auto respond) {
        add(std::move(pattern), {"GET", "HEAD"}, Pool::kWorkers,
            [respond](const net::HttpRequest&, const Segments&) -> Result<net::HttpResponse> {
                return respond();
            });
    };
    add_status("/api/v1/status/buildinfo",
               [this] { return buildinfo_response(dependencies_.program); });
    add_status("/api/v1/status/flags", [this] { return flags_response(dependencies_.program); });
    add_status("/api/v1/status/config",
               [this] { return config_response(*dependencies_.evaluator.snapshot().config); });
    add_status("/api/v1/status/runtimeinfo", [this] {
        return runtimeinfo_response(dependencies_.program, dependencies_.runtime_info(),
                                    *dependencies_.evaluator.snapshot().config,
                                    dependencies_.timers.clock().wall_now());
    });
    add_status("/api/v1/status/walreplay", [] { return walreplay_response(); });
    add_status("/api/v1/status/tsdb/blocks", [] { return blocks_response(); });
    add_status("/api/v1/features", [this] {
        return features_response(dependencies_.program, dependencies_.enable_admin_api);
    });
}

void Router::add_kpi_endpoints() {
    using Request = net::HttpRequest;
    const std::vector<std::string> get{"GET", "HEAD"};
    add("/api/v1/kpis", get, Pool::kViews, [this](const Request& request, const Segments&) {
        return asks_for_the_past(request.params)
                   ? kpi_past_api_.kpis(request.params, {request.arrived, request.gone})
                   : kpis_response(dependencies_.evaluator, request.params);
    });
    add("/api/v1/kpis/*", get, Pool::kViews,
        [this](const Request& request, const Segments& variables) {
            return asks_for_the_past(request.params)
                       ? kpi_past_api_.kpi(variables[0], request.params,
                                           {request.arrived, request.gone})
                       : kpi_response(dependencies_.evaluator, variables[0]);
        });
    add("/api/v1/kpis/*/history", get, Pool::kQueries,
        [this](const Request& request, const Segments& variables) {
            return kpi_past_api_.history(variables[0], request.params,
                                         {request.arrived, request.gone});
        });
    add("/api/v1/goals", get, Pool::kWorkers, [this](const Request&, const Segments&) {
        return goals_response(dependencies_.evaluator);
    });
    add("/", get, Pool::kWorkers, [this](const Request&, const Segments&) {
        return kpi_page(dependencies_.evaluator, dependencies_.failed_reload());
    });
    add("/inbox", get, Pool::kWorkers,
        [this](const Request&, const Segments&) { return inbox_page(dependencies_.notifier); });
}

void Router::add_ingest_endpoints() {
    using Request = net::HttpRequest;
    add("/api/v1/push", {"POST"}, Pool::kWorkers, [this](const Request& request, const Segments&) {
        return push_response(dependencies_.push, request);
    });
    add("/api/v1/import/prometheus", {"POST"}, Pool::kWorkers,
        [this](const Request& request, const Segments&) {
            return import_text_response(dependencies_.push, request);
        });
    add(kRemoteWritePath, {"POST"}, Pool::kWorkers,
        [this](const Request& request, const Segments&) {
            return remote_write_response(dependencies_.remote_write, request);
        });
}

void Router::add_storage_endpoints() {
    using Request = net::HttpRequest;
    const auto import_as = [this](ingest::ImportFormat format) {
        return [this, format](const Request& request, const Segments&) {
            return import_response(dependencies_.imports, format, dependencies_.enable_admin_api,
                                   request);
        };
    };
    add("/api/v1/import/openmetrics", {"POST"}, Pool::kWorkers,
        import_as(ingest::ImportFormat::kOpenMetrics));
    add("/api/v1/import/tsdb-dump", {"POST"}, Pool::kWorkers,
        import_as(ingest::ImportFormat::kTsdbDump));
    add("/api/v1/export", {"GET", "HEAD", "POST"}, Pool::kQueries,
        [this](const Request& request, const Segments&) -> Result<net::HttpResponse> {
            KPID_TRY(const net::HttpParams params, net::request_params(request));
            return export_response(dependencies_.reader, dependencies_.queries, params);
        });
    add("/api/v1/status/tsdb", {"GET", "HEAD"}, Pool::kWorkers,
        [this](const Request& request, const Segments&) {
            return admin_api_.cardinality(request.params);
        });
    const auto add_admin = [this](std::string pattern, auto answer) {
        add(std::move(pattern), {"POST", "PUT"}, Pool::kWorkers,
            [answer](const Request& request, const Segments&) -> Result<net::HttpResponse> {
                KPID_TRY(const net::HttpParams params, net::request_params(request));
                return answer(params);
            });
    };
    add_admin("/api/v1/admin/tsdb/delete_series",
              [this](const net::HttpParams& params) { return admin_api_.delete_series(params); });
    add_admin("/api/v1/admin/tsdb/clean_tombstones",
              [this](const net::HttpParams&) { return admin_api_.clean_tombstones(); });
    add_admin("/api/v1/admin/tsdb/snapshot",
              [this](const net::HttpParams& params) { return admin_api_.snapshot(params); });
}

void Router::add_notification_endpoints() {
    using Request = net::HttpRequest;
    add("/api/v1/notifications", {"GET", "HEAD"}, Pool::kWorkers,
        [this](const Request& request, const Segments&) {
            return notifications_response(dependencies_.notifier, request.params);
        });
    add("/api/v1/notifications/*/*", {"POST"}, Pool::kWorkers,
        [this](const Request&, const Segments& variables) {
            return notification_action(dependencies_.notifier, variables[0], variables[1]);
        });
}

void Router::add_management_endpoints() {
    using Request = net::HttpRequest;
    const std::vector<std::string> get{"GET", "HEAD"};
    add("/-/healthy", get, Pool::kNone, [](const Request&, const Segments&) {
        return net::text_response(200, "kpid is healthy.");
    });
    add("/-/ready", get, Pool::kNone, [this](const Request&, const Segments&) {
        const Result<void> ready = dependencies_.ready();
        return ready ? net::text_response(200, "kpid is ready.")
                     : net::text_response(503, "kpid is not ready: " + ready.error().message);
    });
    add("/-/reload", {"POST", "PUT"}, Pool::kWorkers, [this](const Request&, const Segments&) {
        const Result<void> reloaded = dependencies_.reload();
        return reloaded ? net::HttpResponse{}
                        : net::text_response(
                              500, "failed to reload config: " + reloaded.error().message);
    });
}

net::HttpResponse Router::run(const Endpoint& endpoint, const net::HttpRequest& request,
                              const Segments& variables) const {
    Result<net::HttpResponse> response = endpoint.answer(request, variables);
    return response ? std::move(*response) : error_response(response.error());
}

bool Router::wants_packed_body(const net::HttpRequest& request) const {
    return request.path == kRemoteWritePath;
}

net::HttpResponse Router::refusal(std::string_view target, unsigned status,
                                  std::string text) const {
    const std::string_view path = target.substr(0, target.find('?'));
    return path.starts_with(kApiPrefix) && path != kRemoteWritePath
               ? error_response(status, text)
               : net::text_response(status, std::move(text));
}

net::WorkerPool& Router::pool_of(const Endpoint& endpoint, const net::HttpRequest& request) const {
    const bool queries = endpoint.pool == Pool::kQueries ||
                         (endpoint.pool == Pool::kViews && asks_for_the_past(request.params));
    return queries ? dependencies_.queries : dependencies_.workers;
}

bool Router::Endpoint::takes(std::string_view method) const {
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool Router::may_be_shared(const Endpoint& endpoint) {
    return endpoint.pattern.starts_with(kApiPrefix) && endpoint.takes("GET");
}

net::Task<net::HttpResponse> Router::handle(net::HttpRequest request) {
    for (const Endpoint& endpoint : endpoints_) {
        const std::optional<Segments> variables = match_path(endpoint.pattern, request.path_raw);
        if (!variables) {
            continue;
        }
        const Endpoint* chosen = &endpoint;
        endpoint.requests->Increment();
        net::HttpResponse response = co_await answer(chosen, &request, &*variables);
        if (may_be_shared(endpoint)) {
            dependencies_.cors.allow(request, response);
        }
        co_return response;
    }
    co_return request.method == kOptions&& request.path.starts_with(kApiPrefix)
        ? net::HttpResponse{.status = 204}
        : net::text_response(404, "404 page not found");
}

net::Task<net::HttpResponse> Router::answer(const Endpoint* endpoint,
                                            const net::HttpRequest* request,
                                            const Segments* variables) {
    if (request->method == kOptions && endpoint->pattern.starts_with(kApiPrefix)) {
        co_return net::HttpResponse{.status = 204};
    }
    if (!endpoint->takes(request->method)) {
        net::HttpResponse refused = refusal(request->target, 405, "method not allowed");
        refused.headers.set(net::header::kAllow,
                            fmt::format("{}", fmt::join(endpoint->methods, ", ")));
        co_return refused;
    }
    if (endpoint->pool == Pool::kNone) {
        co_return run(*endpoint, *request, *variables);
    }
    net::WorkerPool& pool = pool_of(*endpoint, *request);
    auto work = [this, endpoint, request, variables] {
        return run(*endpoint, *request, *variables);
    };
    // Whatever changes something is done also for who has gone.
    const std::stop_token gone = endpoint->takes("GET") ? request->gone : std::stop_token();
    Result<net::HttpResponse> response = co_await net::offload(pool, work, gone);
    if (!response) {
        const Error busy = response.error().code == Code::kResourceExhausted
                               ? unavailable("too many requests are waiting")
                               : response.error();
        co_return error_response(busy);
    }
    co_return std::move(*response);
}

}  // namespace kpid::http
