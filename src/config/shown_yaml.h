#pragma once
// A configuration as it may be shown to whoever asks: without its secrets.

#include "config/yaml_reader.h"

#include <string>

namespace kpid::config {

/// The tree as YAML, without comments. `<secret>` stands for passwords, tokens, keys, credentials,
/// values of headers, a webhook's whole URL, and in other URLs for the user and the query. Names of
/// files and of environment variables are shown as written: their contents are not read. Aliases
/// are written out.
[[nodiscard]] std::string shown_yaml(const YamlNode& root);

}  // namespace kpid::config
