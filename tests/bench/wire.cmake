kpid_benchmark(NAME wire SOURCES wire_bench.cc DEPS kpid::wire benchmark::benchmark_main)
