kpid_benchmark(
  NAME wire SOURCES wire_bench.cc
  DEPS kpid::wire Snappy::snappy protozero::protozero benchmark::benchmark_main)
