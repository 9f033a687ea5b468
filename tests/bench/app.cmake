# It starts the kpid of the same build folder, so that one is built with it.
find_package(Snappy REQUIRED)
kpid_benchmark(
  NAME alert_latency
  SOURCES alert_latency_bench.cc kpid_flips.cc prometheus_flips.cc flip_run.cc child_process.cc loopback_http.cc machine.cc
  DEPS kpid::base fmt::fmt Snappy::snappy Threads::Threads)
add_dependencies(alert_latency_bench kpid)

# Those that measure kpid beside its peers. Each is also a test: its quick run shows that it works.
set(comparison comparison.cc load_run.cc write_load.cc write_servers.cc child_process.cc loopback_http.cc machine.cc)
set(comparison_deps kpid::storage kpid::base protozero::protozero simdjson::simdjson fmt::fmt Snappy::snappy Threads::Threads)
kpid_benchmark(NAME remote_write SOURCES remote_write_bench.cc ${comparison} DEPS ${comparison_deps})
kpid_benchmark(NAME query SOURCES query_bench.cc query_answer.cc ${comparison} DEPS ${comparison_deps})
kpid_benchmark(NAME rules SOURCES rules_bench.cc ${comparison} DEPS ${comparison_deps})
foreach(name remote_write query rules)
  add_dependencies(${name}_bench kpid)
  if(KPID_BUILD_TESTS)
    set_target_properties(${name}_bench PROPERTIES EXCLUDE_FROM_ALL OFF)
    add_test(NAME bench_${name} COMMAND ${name}_bench --quick "--peers=${PROJECT_SOURCE_DIR}/build/peers")
    set_tests_properties(bench_${name} PROPERTIES LABELS e2e TIMEOUT 300 RUN_SERIAL ON)
  endif()
endforeach()
