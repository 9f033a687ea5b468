# It starts the kpid of the same build folder, so that one is built with it.
find_package(Snappy REQUIRED)
kpid_benchmark(
  NAME alert_latency
  SOURCES alert_latency_bench.cc kpid_flips.cc prometheus_flips.cc flip_run.cc child_process.cc loopback_http.cc
  DEPS kpid::base fmt::fmt Snappy::snappy Threads::Threads)
add_dependencies(alert_latency_bench kpid)
