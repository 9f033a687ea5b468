kpid_fuzzer(NAME ingest_procfs CORPUS ingest_procfs
            SOURCES ingest_procfs_fuzz.cc DEPS kpid::ingest)
