kpid_fuzzer(NAME notify_retry_after SOURCES notify_retry_after_fuzz.cc CORPUS notify_retry_after DEPS kpid::notify)
