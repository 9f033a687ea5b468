kpid_benchmark(NAME storage SOURCES storage_bench.cc DEPS kpid::storage fmt::fmt benchmark::benchmark_main)
