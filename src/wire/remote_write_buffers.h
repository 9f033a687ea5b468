#pragma once
// What the decoding of a remote write request fills, and how its fields are read.

#include "kpid/wire/remote_write.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include <bit>
#include <cstdint>
#include <exception>
#include <limits>

namespace kpid::wire {

/// What a decoder keeps from one request to the next. Series and their extents are filled side by
/// side; finish() sets the views when nothing moves any more.
struct RemoteWriteDecoder::Buffers {
    static constexpr std::size_t kNotInArena = std::numeric_limits<std::size_t>::max();

    /// Where label bytes lie when they lie in the arena.
    struct ArenaPiece {
        std::size_t offset = kNotInArena;
        std::size_t size = 0;
    };
    /// Where the parts of a series lie.
    struct Extent {
        std::size_t first_sample = 0;
        std::size_t sample_count = 0;
        std::size_t first_exemplar = 0;
        std::size_t exemplar_count = 0;
        ArenaPiece labels = {};
    };

    std::unique_ptr<char[]> plain;  ///< The unpacked body.
    std::size_t plain_capacity = 0;
    std::vector<RemoteWriteSeries> series;
    std::vector<Extent> extents;
    std::vector<model::Sample> samples;
    std::vector<RemoteWriteExemplar> exemplars;
    std::vector<ArenaPiece> exemplar_labels;  ///< Entry i: of the exemplar i.
    std::vector<RemoteWriteMetadata> metadata;
    std::vector<char> arena;  ///< Label bytes that do not lie in one piece in the body.
    std::vector<std::string_view> symbols;            ///< Version 2.
    std::vector<std::string_view> messages;           ///< Version 2: the series, unread.
    std::vector<std::uint32_t> references;            ///< Version 2: of one series or exemplar.
    std::vector<std::string_view> exemplar_messages;  ///< Of one series, unread.

    void clear();
    [[nodiscard]] RemoteWriteRequest finish();
    /// What this piece of the arena holds, once nothing moves any more; else `inline_bytes`.
    [[nodiscard]] std::string_view bytes_of(const ArenaPiece& piece,
                                            std::string_view inline_bytes) const {
        return piece.offset == kNotInArena
                   ? inline_bytes
                   : std::string_view(arena.data() + piece.offset, piece.size);
    }
};

/// Thrown while a message is read, caught in RemoteWriteDecoder: a known field of another type.
struct WrongFieldType final : std::exception {
    explicit WrongFieldType(const char* field_in) : field(field_in) {}
    const char* field;
};
/// The same: a limit is passed.
struct LimitPassed final : std::exception {
    LimitPassed(const char* what_in, std::size_t limit_in) : things(what_in), limit(limit_in) {}
    const char* things;
    std::size_t limit;
};

/// Throws unless the field that was just met has this type.
inline void want(const protozero::pbf_reader& message, protozero::pbf_wire_type type,
                 const char* field) {
    if (message.wire_type() != type) {
        throw WrongFieldType(field);
    }
}

/// The bytes of a field that must be a string or message.
inline std::string_view bytes_of(protozero::pbf_reader& message, const char* field) {
    want(message, protozero::pbf_wire_type::length_delimited, field);
    const protozero::data_view view = message.get_view();
    return {view.data(), view.size()};
}

inline protozero::pbf_reader reader_of(std::string_view bytes) {
    return protozero::pbf_reader(bytes.data(), bytes.size());
}

/// Adds one to a list; throws when it is full.
template <class T>
void add_bounded(std::vector<T>& list, T item, std::size_t limit, const char* things) {
    if (list.size() >= limit) {
        throw LimitPassed(things, limit);
    }
    list.push_back(std::move(item));
}

/// A Sample message of either version.
void read_sample(std::string_view bytes, RemoteWriteDecoder::Buffers& buffers);
/// Value and time of an Exemplar message of either version; `read_labels` is called at each field
/// with labels, to take it.
template <class ReadLabels>
[[nodiscard]] RemoteWriteExemplar read_exemplar(std::string_view bytes,
                                                const ReadLabels& read_labels) {
    constexpr protozero::pbf_tag_type kLabels = 1;
    constexpr protozero::pbf_tag_type kValue = 2;
    constexpr protozero::pbf_tag_type kTimestamp = 3;
    RemoteWriteExemplar one;
    protozero::pbf_reader exemplar = reader_of(bytes);
    const char* first = exemplar.data().data();
    while (exemplar.next()) {
        switch (exemplar.tag()) {
            case kLabels:
                read_labels(exemplar, first);
                break;
            case kValue:
                want(exemplar, protozero::pbf_wire_type::fixed64, "Exemplar.value");
                one.value = std::bit_cast<double>(exemplar.get_fixed64());
                break;
            case kTimestamp:
                want(exemplar, protozero::pbf_wire_type::varint, "Exemplar.timestamp");
                one.time = Timestamp(exemplar.get_int64());
                break;
            default:
                exemplar.skip();
        }
        first = exemplar.data().data();
    }
    return one;
}
/// Adds it, its labels in the arena or in `one` itself.
void add_exemplar(const RemoteWriteExemplar& one, RemoteWriteDecoder::Buffers::ArenaPiece labels,
                  RemoteWriteDecoder::Buffers& buffers);
[[nodiscard]] model::MetricType metric_type_of(std::int32_t number);
void read_request_v1(std::string_view message, RemoteWriteDecoder::Buffers& buffers);
void read_request_v2(std::string_view message, RemoteWriteDecoder::Buffers& buffers);

}  // namespace kpid::wire
