# It starts the kpid of the same build folder, so that one is built with it.
find_package(Snappy REQUIRED)
kpid_benchmark(
  NAME alert_latency
  SOURCES alert_latency_bench.cc kpid_flips.cc prometheus_flips.cc flip_run.cc child_process.cc loopback_http.cc machine.cc
  DEPS kpid::base fmt::fmt Snappy::snappy Threads::Threads)
add_dependencies(alert_latency_bench kpid)
# Also a test: its quick run shows that it works.
kpid_benchmark(
  NAME remote_write
  SOURCES remote_write_bench.cc write_load.cc write_servers.cc child_process.cc loopback_http.cc machine.cc
  DEPS kpid::storage kpid::base protozero::protozero fmt::fmt Snappy::snappy Threads::Threads)
add_dependencies(remote_write_bench kpid)
if(KPID_BUILD_TESTS)
  set_target_properties(remote_write_bench PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_test(NAME bench_remote_write COMMAND remote_write_bench --quick "--peers=${PROJECT_SOURCE_DIR}/build/peers")
  set_tests_properties(bench_remote_write PROPERTIES LABELS e2e TIMEOUT 300 RUN_SERIAL ON)
endif()
