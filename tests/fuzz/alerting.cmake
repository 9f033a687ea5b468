kpid_fuzzer(NAME alerting_template CORPUS alerting_template SOURCES alerting_template_fuzz.cc
            DEPS kpid::alerting)
kpid_fuzzer(NAME alerting_matcher CORPUS alerting_matcher SOURCES alerting_matcher_fuzz.cc
            DEPS kpid::alerting)
