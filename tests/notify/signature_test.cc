// Signatures after the Standard Webhooks specification.

#include "notify/signature.h"

#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <string_view>

namespace kpid::notify {
namespace {

// 24 bytes: 0 to 23.
constexpr std::string_view kSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

std::string sign(std::string_view secret, std::string_view id, std::int64_t seconds,
                 std::string_view body) {
    const Result<std::string> signature = sign_webhook(secret, id, Timestamp(seconds * 1000), body);
    return signature ? *signature : "error: " + signature.error().message;
}

TEST(Signature, AgreesWithTheVectorsOfTheSpecification) {
    const auto folder = kpid::testing::conformance_dir("standard-webhooks");
    if (!folder) {
        return;
    }
    simdjson::dom::parser parser;
    const simdjson::dom::element vectors = parser.load((*folder / "signing-vectors.json").string());
    std::size_t count = 0;
    for (const simdjson::dom::element vector : vectors.get_array()) {
        const std::string id{std::string_view(vector["id"])};
        SCOPED_TRACE(id);
        const std::string secret = std::string(std::string_view(vector["secret_prefix"])) +
                                   std::string(std::string_view(vector["secret_base64"]));
        EXPECT_EQ(
            sign(secret, id, std::int64_t(vector["timestamp"]), std::string_view(vector["body"])),
            std::string_view(vector["signature"]));
        ++count;
    }
    EXPECT_GE(count, 5U);
}

TEST(Signature, AgreesWithAnotherImplementation) {
    // Made by Python's hmac, hashlib and base64.
    EXPECT_EQ(sign(kSecret, "msg_a", 1'700'000'000, "{\"a\":1}"),
              "v1,UJzxsMGCiA8vTSPKloy93XfinduFLTx4r/EbEIz04aM=");
    EXPECT_EQ(sign(kSecret, "msg_b", 0, ""), "v1,5Q7Cue1Azc8etIJVBGOOzl/vEi6jVMwG2GiAcZGKSNE=");
    EXPECT_EQ(sign(kSecret, "msg_c", 1'700'000'000, "\xc3\xa9\xff"),
              "v1,GebLEZ5LbT+oTiMQhWt4qkyV659d1WLCQHkPghnjZ/E=");
}

TEST(Signature, TakesSecretsWithAndWithoutPrefixAndBlanks) {
    const std::string plain = sign(kSecret, "id", 1, "body");
    EXPECT_EQ(plain.rfind("v1,", 0), 0U);
    EXPECT_EQ(sign("whsec_" + std::string(kSecret), "id", 1, "body"), plain);
    EXPECT_EQ(sign(" \n" + std::string(kSecret) + "\r\n", "id", 1, "body"), plain);
}

TEST(Signature, CutsTheTimestampToSeconds) {
    EXPECT_EQ(*sign_webhook(kSecret, "id", Timestamp(1'999), "body"),
              sign(kSecret, "id", 1, "body"));
}

TEST(Signature, DependsOnEveryPart) {
    const std::string base = sign(kSecret, "id", 1, "body");
    EXPECT_NE(sign(kSecret, "ie", 1, "body"), base);
    EXPECT_NE(sign(kSecret, "id", 2, "body"), base);
    EXPECT_NE(sign(kSecret, "id", 1, "bodz"), base);
    EXPECT_NE(sign("BAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "id", 1, "body"), base);
}

TEST(Signature, RefusesBadSecretsWithoutShowingThem) {
    const std::string of_23_bytes = "AAECAwQFBgcICQoLDA0ODxAREhMUFRY=";
    const std::string of_64_bytes = std::string(84, 'A') + "AA==";
    const std::string of_65_bytes = std::string(84, 'A') + "AAA=";
    EXPECT_EQ(sign(of_64_bytes, "id", 1, "body").rfind("v1,", 0), 0U);
    for (const std::string& secret :
         {std::string(), std::string("whsec_"), std::string("whsec_hello"), of_23_bytes,
          of_65_bytes, std::string(kSecret) + "A", std::string(kSecret) + "====",
          std::string(36, '='), "AA==" + std::string(kSecret), "A=A=" + std::string(kSecret),
          std::string("*AECAwQFBgcICQoLDA0ODxAREhMUFRYX"), std::string(4'000, 'A')}) {
        SCOPED_TRACE(secret);
        const Result<std::string> signature = sign_webhook(secret, "id", Timestamp(0), "body");
        ASSERT_FALSE(signature);
        EXPECT_EQ(signature.error().code, Code::kInvalidArgument);
        EXPECT_TRUE(secret.size() < 8 ||
                    signature.error().message.find(secret) == std::string::npos);
    }
}

}  // namespace
}  // namespace kpid::notify
