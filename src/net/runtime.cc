// The event loop's threads.

#include "net/runtime.h"

namespace kpid::net {

Runtime::Runtime() : io_(1), work_(io_.get_executor()) {
}

Runtime::~Runtime() {
    finish();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void Runtime::run() {
    io_.run();
}

void Runtime::start_threads(int count) {
    for (int i = 0; i < count; ++i) {
        threads_.emplace_back([this] { io_.run(); });
    }
}

void Runtime::finish() {
    work_.reset();
    io_.stop();
}

}  // namespace kpid::net
