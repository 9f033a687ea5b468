kpid_fuzzer(NAME config_yaml SOURCES config_yaml_fuzz.cc CORPUS config_yaml DEPS kpid::config)
