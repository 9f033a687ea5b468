kpid_fuzzer(NAME promql_parse CORPUS promql_parse SOURCES promql_parse_fuzz.cc DEPS kpid::promql)
