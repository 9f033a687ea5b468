kpid_benchmark(NAME storage SOURCES storage_bench.cc DEPS kpid::storage fmt::fmt benchmark::benchmark_main)
kpid_benchmark(NAME storage_append SOURCES storage_append_bench.cc DEPS kpid::storage fmt::fmt benchmark::benchmark_main)
kpid_benchmark(NAME chunk_codec SOURCES chunk_codec_bench.cc DEPS kpid::storage fmt::fmt)
kpid_benchmark(NAME series_index SOURCES series_index_bench.cc DEPS kpid::storage fmt::fmt)
