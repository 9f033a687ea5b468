kpid_benchmark(NAME net SOURCES net_bench.cc DEPS kpid::net benchmark::benchmark)
