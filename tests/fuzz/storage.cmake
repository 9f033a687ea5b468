kpid_fuzzer(NAME storage_record SOURCES storage_record_fuzz.cc CORPUS storage_record DEPS kpid::storage)
kpid_fuzzer(NAME chunk_codec SOURCES chunk_codec_fuzz.cc CORPUS chunk_codec DEPS kpid::storage)
