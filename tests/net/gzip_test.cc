// Compressing and its limits.

#include "net/gzip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kpid::net {
namespace {

constexpr std::size_t kPlenty = 64U << 20U;

TEST(Gzip, GivesBackWhatItPacked) {
    for (const std::string& plain :
         {std::string(), std::string("a"), std::string(1'000'000, 'x'), std::string("\0\1\2", 3)}) {
        const std::string packed = gzip(plain).value();
        EXPECT_EQ(gunzip(packed, kPlenty).value(), plain);
        EXPECT_EQ(gunzip(packed, plain.size()).value(), plain);
    }
}

TEST(Gzip, PacksPieceByPieceInBoundedMemory) {
    std::string plain;
    std::string packed;
    Packer packer(Packing::kDeflate);
    std::size_t largest = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece(1000, static_cast<char>('a' + i % 26));
        const std::string some = packer.add(piece).value();
        largest = std::max(largest, some.size());
        plain += piece;
        packed += some;
    }
    packed += packer.finish().value();
    EXPECT_EQ(gunzip(packed, kPlenty).value(), plain);
    EXPECT_LT(largest, 70'000U);
    EXPECT_EQ(gunzip(Packer(Packing::kGzip).finish().value(), kPlenty).value(), "");
}

TEST(Gzip, ReadsSeveralMembers) {
    const std::string packed = gzip("one ").value() + gzip("").value() + gzip("two").value();
    EXPECT_EQ(gunzip(packed, kPlenty).value(), "one two");
}

TEST(Gzip, StopsAtTheLimit) {
    const std::string bomb = gzip(std::string(10'000'000, '\0')).value();
    EXPECT_EQ(gunzip(bomb, 9'999'999).error().code, Code::kResourceExhausted);
    EXPECT_EQ(gunzip(gzip("a").value(), 0).error().code, Code::kResourceExhausted);
}

TEST(Gzip, RefusesDamagedAndCutInput) {
    const std::string packed = gzip("hello, hello, hello").value();
    for (std::size_t size = 0; size < packed.size(); ++size) {
        EXPECT_EQ(gunzip(packed.substr(0, size), kPlenty).error().code, Code::kInvalidArgument);
    }
    EXPECT_EQ(gunzip("no gzip at all", kPlenty).error().code, Code::kInvalidArgument);
    EXPECT_EQ(gunzip(packed + "tail", kPlenty).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace kpid::net
