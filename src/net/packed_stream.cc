// Compresses pieces as they come.
#include "net/packed_stream.h"

namespace kpid::net {
namespace {

class PackedStream final : public BodyStream {
public:
    PackedStream(std::shared_ptr<BodyStream> inner, Packing packing, WorkerPool& pool)
        : inner_(std::move(inner)), packer_(packing), pool_(pool) {}

    Task<Result<std::string>> next() override {
        // An empty piece would be the end: the packer may keep a short one back.
        while (!ended_) {
            Result<std::string> plain = co_await inner_->next();
            if (!plain) {
                co_return plain;
            }
            piece_ = *std::move(plain);
            ended_ = piece_.empty();
            Result<std::string> packed = co_await offload(pool_, [this] { return pack_piece(); });
            if (!packed && packed.error().code == Code::kResourceExhausted) {
                packed = pack_piece();
            }
            if (!packed || !packed->empty()) {
                co_return packed;
            }
        }
        co_return std::string();
    }

private:
    Result<std::string> pack_piece() { return ended_ ? packer_.finish() : packer_.add(piece_); }

    const std::shared_ptr<BodyStream> inner_;
    Packer packer_;
    WorkerPool& pool_;
    std::string piece_;
    bool ended_ = false;
};

}  // namespace

std::shared_ptr<BodyStream> pack_stream(std::shared_ptr<BodyStream> inner, Packing packing,
                                        WorkerPool& pool) {
    return std::make_shared<PackedStream>(std::move(inner), packing, pool);
}

}  // namespace kpid::net
