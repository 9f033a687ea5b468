#pragma once
// What Prometheus and its kin send by remote write.

#include "ingest/exemplar_table.h"
#include "ingest/metadata_table.h"
#include "ingest/metrics.h"
#include "kpid/base/clock.h"
#include "kpid/base/mutex.h"
#include "kpid/model/appender.h"
#include "kpid/wire/remote_write.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::ingest {

/// What became of a request.
struct RemoteWriteOutcome {
    enum class Answer {
        kStored,       ///< All of it, but for names that are kpid's own; exemplars and metadata
                       ///< that are not kept change nothing.
        kRefused,      ///< Some of it can never be stored; the rest is.
        kLimited,      ///< Some found a limit of the store; the rest is stored: send it again.
        kUndecodable,  ///< Nothing is stored.
        kTooLarge,     ///< A limit of the decoder is passed; nothing is stored.
    };
    Answer answer = Answer::kStored;
    std::size_t samples_written = 0;
    std::size_t exemplars_written = 0;
    std::string error =
        {};  ///< Unless stored: how much was refused, and the first with its series.
};

/// Decodes and stores remote write requests. Thread-safe; blocks for the store: worker threads
/// only.
class RemoteWriteSink {
public:
    struct Dependencies {
        model::Appender& appender;
        MetadataTable& metadata;
        ExemplarTable& exemplars;
        const Clock& clock;
        Metrics& metrics;
    };
    /// What it depends on outlives it.
    explicit RemoteWriteSink(const Dependencies& dependencies);

    /// POST /api/v1/write. Valid samples are stored also where others of the request are refused; a
    /// sample that repeats a stored instant and value is a success. Native histograms are refused,
    /// exemplars that cannot be kept dropped, both counted. An error: the store could take nothing;
    /// to be sent again.
    [[nodiscard]] Result<RemoteWriteOutcome> write(std::string_view body,
                                                   wire::RemoteWriteVersion version);

private:
    class Decoder;

    [[nodiscard]] Result<RemoteWriteOutcome> store(const wire::RemoteWriteRequest& request);

    [[nodiscard]] std::size_t keep_exemplars(const wire::RemoteWriteRequest& request);
    [[nodiscard]] std::size_t keep_exemplars_of(const wire::RemoteWriteSeries& series,
                                                Timestamp now);

    model::Appender& appender_;
    MetadataTable& metadata_;
    ExemplarTable& exemplars_;
    const Clock& clock_;
    Metrics& metrics_;

    // Decoders with their buffers, as many as ever ran at once.
    Mutex mutex_;
    std::vector<std::unique_ptr<wire::RemoteWriteDecoder>> idle_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::ingest
