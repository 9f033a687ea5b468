// What the store keeps: messages as JSON, groups in parts.

#include "notify/message.h"

#include "notify/state_keys.h"
#include "notify/stored_group.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace kpid::notify {
namespace {

Message some_message() {
    return {.id = "abc-1",
            .notification_id = "abc",
            .group_id = "\"ops\"{}:{alertname=\"x\"}",
            .receiver = "ops",
            .webhook = 1,
            .body = "{\"a\":\"\\u0026\"}",
            .created = Timestamp(1'800'000'000'001),
            .state = MessageState::kFailed,
            .tried_since = Timestamp(1'800'000'000'002),
            .attempt_count = 70,
            .attempts = {{Timestamp(5), 500, "broken"}, {Timestamp(6), 0, "refused"}},
            .alerts = {{"0011223344556677", "firing", "Down"}, {"8899", "resolved", "Up"}}};
}

TEST(Message, ComesBackAsItWas) {
    const Message message = some_message();
    const Result<Message> read = decode_message(encode_message(message));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->id, message.id);
    EXPECT_EQ(read->notification_id, message.notification_id);
    EXPECT_EQ(read->group_id, message.group_id);
    EXPECT_EQ(read->receiver, message.receiver);
    EXPECT_EQ(read->webhook, message.webhook);
    EXPECT_EQ(read->body, message.body);
    EXPECT_EQ(read->created, message.created);
    EXPECT_EQ(read->state, message.state);
    EXPECT_EQ(read->tried_since, message.tried_since);
    EXPECT_EQ(read->attempt_count, message.attempt_count);
    ASSERT_EQ(read->attempts.size(), 2U);
    EXPECT_EQ(read->attempts[0].code, 500U);
    EXPECT_EQ(read->attempts[1].error, "refused");
    ASSERT_EQ(read->alerts.size(), 2U);
    EXPECT_EQ(read->alerts[1].status, "resolved");
    EXPECT_EQ(read->alerts[1].name, "Up");
    EXPECT_EQ(encode_message(*read), encode_message(message));
}

TEST(Message, IsReadWithoutTheNamesThatOlderOnesLack) {
    Message message = some_message();
    std::string json = encode_message(message);
    for (const char* name : {R"(,"name":"Down")", R"(,"name":"Up")"}) {
        ASSERT_NE(json.find(name), std::string::npos);
        json.erase(json.find(name), std::string(name).size());
    }
    const Result<Message> read = decode_message(json);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->alerts.at(0).name, "");
}

TEST(Message, KeepsWhatAReceiverAnsweredHoweverBroken) {
    Message message = some_message();
    message.attempts[0].error = std::string("\xff\xfe\xc3\x00\x01 \"\\", 8);
    message.tried_since.reset();
    const Result<Message> read = decode_message(encode_message(message));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read->attempts[0].error.empty());
    EXPECT_EQ(read->tried_since, std::nullopt);
}

TEST(Message, RefusesWhatIsDamagedOrNewer) {
    const std::string whole = encode_message(some_message());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const Result<Message> read = decode_message(whole.substr(0, length));
        ASSERT_FALSE(read) << length;
        EXPECT_EQ(read.error().code, Code::kDataLoss);
    }
    std::string newer = whole;
    newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
    EXPECT_FALSE(decode_message(newer));
    std::string unknown_state = whole;
    unknown_state.replace(unknown_state.find("failed"), 6, "fallen");
    EXPECT_FALSE(decode_message(unknown_state));
}

TEST(Message, NamesItsStates) {
    for (const MessageState state : {MessageState::kPending, MessageState::kDelivered,
                                     MessageState::kFailed, MessageState::kDropped}) {
        const Result<MessageState> read = parse_message_state(to_string(state));
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, state);
    }
    EXPECT_FALSE(parse_message_state("Pending"));
}

// The state store as a map, changed by writes.
class StoredGroup : public ::testing::Test {
protected:
    void write(const std::string& id, const std::optional<std::string>& state) {
        const GroupWrites group = write_stored_group(id, state, parts_[id], 100);
        parts_[id] = group.parts;
        for (const model::StateWrite& write : group.writes) {
            EXPECT_LE(write.key.size(), 100U);
            if (write.value) {
                EXPECT_LE(write.value->size(), 100U);
                entries_[write.key] = *write.value;
            } else {
                entries_.erase(write.key);
            }
        }
    }
    [[nodiscard]] StoredGroups read() const {
        return read_stored_groups(
            std::vector<std::pair<std::string, std::string>>(entries_.begin(), entries_.end()));
    }

    std::map<std::string, std::string> entries_;
    std::map<std::string, std::size_t> parts_;
};

TEST_F(StoredGroup, ComesBackWhateverItsSize) {
    for (const std::size_t size : {0U, 1U, 30U, 36U, 37U, 100U, 163U, 1'000U, 5'000U}) {
        SCOPED_TRACE(size);
        const std::string id = "group of " + std::to_string(size);
        write(id, std::string(size, 'x'));
        const StoredGroups groups = read();
        EXPECT_TRUE(groups.damaged.empty());
        ASSERT_EQ(groups.states.size(), 1U);
        EXPECT_EQ(groups.states[0].first, id);
        EXPECT_EQ(groups.states[0].second, std::string(size, 'x'));
        EXPECT_EQ(groups.parts.at(id), entries_.size());
        write(id, std::nullopt);
        EXPECT_TRUE(entries_.empty());
    }
}

TEST_F(StoredGroup, LeavesNothingBehindWhenItShrinks) {
    write("a", std::string(1'000, 'a'));
    write("b", std::string(500, 'b'));
    write("a", "small");
    const StoredGroups groups = read();
    EXPECT_TRUE(groups.damaged.empty());
    EXPECT_EQ(groups.states.size(), 2U);
    EXPECT_EQ(groups.parts.at("a"), 1U);
}

TEST_F(StoredGroup, TakesIdsOfAnyLength) {
    const std::string id(20'000, 'i');
    write(id, "state");
    ASSERT_EQ(read().states.size(), 1U);
    EXPECT_EQ(read().states[0].first, id);
}

TEST_F(StoredGroup, NamesWhatIsNotWholeAndKeepsTheRest) {
    write("a", std::string(1'000, 'a'));
    write("b", "fine");
    for (const auto& [key, value] : std::map(entries_)) {
        if (value.find("fine") != std::string::npos) {
            continue;
        }
        const std::map<std::string, std::string> whole = entries_;
        entries_.erase(key);
        StoredGroups groups = read();
        EXPECT_EQ(groups.damaged.size(), 1U);
        ASSERT_EQ(groups.states.size(), 1U);
        EXPECT_EQ(groups.states[0].second, "fine");
        entries_ = whole;
        entries_[key] = "torn";
        EXPECT_EQ(read().damaged.size(), 1U);
        entries_ = whole;
    }
}

}  // namespace
}  // namespace kpid::notify
