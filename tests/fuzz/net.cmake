kpid_fuzzer(NAME net_url CORPUS net_url SOURCES net_url_fuzz.cc DEPS kpid::net)
