// The contract of model's storage interfaces, kept by the storage and by the tests' stand-in.

#include "storage/storage_contract.h"

#include "support/memory_storage.h"

namespace kpid::storage {
namespace {

struct MakeStorage {
    testing::TemporaryFolder folder;
    std::unique_ptr<Storage> make() {
        auto opened = Storage::open({.path = folder.file("data")});
        return opened ? *std::move(opened) : nullptr;
    }
};

struct MakeMemoryStorage {
    std::unique_ptr<testing::MemoryStorage> make() {
        return std::make_unique<testing::MemoryStorage>();
    }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Storage, StorageContract, MakeStorage);
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryStorage, StorageContract, MakeMemoryStorage);

}  // namespace
}  // namespace kpid::storage
