#pragma once
// Prometheus' endpoints for who looks after a store: delete, clean, snapshot, cardinality.

#include "kpid/base/clock.h"
#include "kpid/model/storage_admin.h"
#include "net/http_message.h"

namespace kpid::http {

/// Functions block for the store: worker threads only. Thread-safe.
class AdminApi {
public:
    /// `enabled` is --web.enable-admin-api, without which everything that changes or copies is 403.
    AdminApi(model::StorageAdmin& admin, bool enabled, const Clock& clock)
        : admin_(admin), enabled_(enabled), clock_(clock) {}

    /// `match[]=&start=&end=`: 204. All selectors are read before any is used.
    [[nodiscard]] Result<net::HttpResponse> delete_series(const net::HttpParams& params) const;
    /// 204.
    [[nodiscard]] Result<net::HttpResponse> clean_tombstones() const;
    /// `{"name": …}`. `skip_head` is read and changes nothing: kpid copies what it acknowledged.
    [[nodiscard]] Result<net::HttpResponse> snapshot(const net::HttpParams& params) const;
    /// `status/tsdb?limit=`: always allowed.
    [[nodiscard]] Result<net::HttpResponse> cardinality(const net::HttpParams& params) const;

private:
    [[nodiscard]] Result<void> check_enabled() const;

    model::StorageAdmin& admin_;
    const bool enabled_;
    const Clock& clock_;
};

}  // namespace kpid::http
