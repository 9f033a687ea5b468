// Names of the log's tables.

#include "kpid/storage/log.h"

namespace kpid::storage {

std::string_view to_string(LogTable table) {
    switch (table) {
        case LogTable::kSeries:
            return "series";
        case LogTable::kChunks:
            return "chunks";
        case LogTable::kOpen:
            return "open";
        case LogTable::kVersions:
            return "versions";
        case LogTable::kSamples:
            return "samples";
        case LogTable::kState:
            return "state";
        case LogTable::kQuarantine:
            return "quarantine";
    }
    return "";
}

}  // namespace kpid::storage
