# The only build helpers: kpid_module, kpid_program, kpid_test, kpid_benchmark, kpid_fuzzer.

add_library(kpid_warnings INTERFACE)
target_compile_options(
  kpid_warnings
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wsign-conversion
            -Wshadow
            -Wold-style-cast
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wformat=2
            # A designated initializer names what differs from the default; the rest is meant.
            -Wno-missing-field-initializers
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            # libstdc++ 12's own std::stable_sort calls what it has deprecated itself.
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
            $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)

# kpid_module(NAME storage HEADERS kpid/storage/x.h ... SOURCES a.cc b.h ... DEPS ... PRIVATE_DEPS ...)
# makes the library kpid_<name> with the alias kpid::<name>. HEADERS are the public ones under include/
# (each must compile alone: target all_verify_interface_header_sets), SOURCES are relative to the room's
# folder. Rooms of the daemon have no HEADERS: theirs lie beside the sources, included as "<room>/x.h".
function(kpid_module)
  cmake_parse_arguments(ARG "" "NAME" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target kpid_${ARG_NAME})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(kpid::${ARG_NAME} ALIAS ${target})
  list(TRANSFORM ARG_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/include/")
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
                                  FILES ${ARG_HEADERS})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE kpid_warnings ${ARG_PRIVATE_DEPS})
endfunction()

# kpid_program(NAME kpid SOURCES main.cc DEPS ...) makes a program at the top of the build folder.
function(kpid_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE kpid_warnings ${ARG_DEPS})
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

# kpid_test(NAME storage LABELS unit SOURCES a_test.cc ... DEPS ...) makes the program <name>_test and one
# ctest entry for each of its sources' suites (a suite is named as its file: log_test.cc has Log*).
# Those with the label concurrency are also built by the target concurrency_tests.
add_custom_target(concurrency_tests)
function(kpid_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "LABELS;SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(target ${ARG_NAME}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE kpid_warnings GTest::gmock GTest::gtest_main ${ARG_DEPS})
  add_test(NAME ${ARG_NAME} COMMAND ${target} --gtest_brief=1)
  set_tests_properties(
    ${ARG_NAME}
    PROPERTIES
      LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT
      "KPID_SOURCE_DIR=${PROJECT_SOURCE_DIR};TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
  if("concurrency" IN_LIST ARG_LABELS)
    add_dependencies(concurrency_tests ${target})
  endif()
endfunction()

# kpid_benchmark(NAME wire_text SOURCES ... DEPS ...) makes the program bench/<name>_bench, built by the
# target benchmarks only.
add_custom_target(benchmarks)
function(kpid_benchmark)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  set(target ${ARG_NAME}_bench)
  add_executable(${target} ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE kpid_warnings ${ARG_DEPS})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench"
                                             EXCLUDE_FROM_ALL ON)
  add_dependencies(benchmarks ${target})
endfunction()

# kpid_fuzzer(NAME wire_text SOURCES x_fuzz.cc CORPUS dir DEPS ...): with KPID_BUILD_FUZZERS a libFuzzer
# program fuzz/<name>_fuzz; else the same source with a main that replays the corpus, as a test.
add_custom_target(fuzzers)
function(kpid_fuzzer)
  cmake_parse_arguments(ARG "" "NAME;CORPUS" "SOURCES;DEPS" ${ARGN})
  set(target ${ARG_NAME}_fuzz)
  if(KPID_BUILD_FUZZERS)
    add_executable(${target} ${ARG_SOURCES})
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
    add_dependencies(fuzzers ${target})
  else()
    add_executable(${target} ${ARG_SOURCES} "${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay_main.cc")
    add_test(NAME fuzz_${ARG_NAME} COMMAND ${target} "${PROJECT_SOURCE_DIR}/tests/data/corpus/${ARG_CORPUS}")
    set_tests_properties(fuzz_${ARG_NAME} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE kpid_warnings ${ARG_DEPS})
endfunction()
