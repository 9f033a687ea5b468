#pragma once
// Files that the configuration names and that are read when they are used: secrets, URLs,
// certificates.

#include "config/file_reader.h"
#include "config/findings.h"

#include <string>
#include <vector>

namespace kpid::config {

/// What a file is used for: what must stand in it.
enum class FileUse {
    kTls,            ///< A certificate or key: nothing connects without it.
    kText,           ///< A name, password or token; any text.
    kUrl,            ///< Where a webhook is sent.
    kSigningSecret,  ///< See check_secret() in values.h.
};

/// One key that names such a file.
struct UsedFile {
    FileUse use = FileUse::kText;
    std::string key;
    std::string path;   ///< Resolved.
    std::string named;  ///< The configuration file that names it,
    Position position;  ///< and where.
};

/// Reads each file and adds a finding where it is missing or of no use; never with its content. A
/// missing certificate or key is an error as for Prometheus' own check; the rest are warnings:
/// these files are read at each use, so that they may come or be mended later.
void check_used_files(const std::vector<UsedFile>& used, const FileReader& files,
                      ErrorList& errors);

}  // namespace kpid::config
