kpid_fuzzer(NAME storage_record SOURCES storage_record_fuzz.cc CORPUS storage_record DEPS kpid::storage)
