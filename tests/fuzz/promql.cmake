kpid_fuzzer(NAME promql_parse CORPUS promql_parse SOURCES promql_parse_fuzz.cc DEPS kpid::promql)
kpid_fuzzer(
  NAME promql_engine CORPUS promql_engine
  SOURCES promql_engine_fuzz.cc "${PROJECT_SOURCE_DIR}/tests/support/engine_check.cc"
          "${PROJECT_SOURCE_DIR}/tests/support/expression_generator.cc"
  DEPS kpid::promql fmt::fmt)
