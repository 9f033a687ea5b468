#pragma once
// A lock that many readers share and that no stream of readers keeps a writer from.

#include "kpid/base/mutex.h"

#include <mutex>
#include <shared_mutex>

/// The caller holds that mutex, shared at least.
#define KPID_REQUIRES_SHARED(x) KPID_THREAD_ANNOTATION(requires_shared_capability(x))

namespace kpid {

/// Readers share it, a writer has it alone. Whoever comes while a writer waits stands behind that
/// writer, so a writer waits for those that read now and for no one else; a reader that works in
/// pieces and lets go between them is never in a writer's way for longer than one piece.
class KPID_THREAD_ANNOTATION(capability("shared_mutex")) SharedMutex {
public:
    void lock() KPID_THREAD_ANNOTATION(acquire_capability()) {
        const std::lock_guard<std::mutex> turn(turn_);
        mutex_.lock();
    }
    void unlock() KPID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    void lock_shared() KPID_THREAD_ANNOTATION(acquire_shared_capability()) {
        const std::lock_guard<std::mutex> turn(turn_);
        mutex_.lock_shared();
    }
    void unlock_shared() KPID_THREAD_ANNOTATION(release_shared_capability()) {
        mutex_.unlock_shared();
    }

private:
    std::mutex turn_;  // Held while one waits for mutex_; taken first.
    std::shared_mutex mutex_;
};

/// Reads for a scope.
class KPID_THREAD_ANNOTATION(scoped_lockable) SharedLock {
public:
    explicit SharedLock(SharedMutex& mutex) KPID_THREAD_ANNOTATION(acquire_shared_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock_shared();
    }
    ~SharedLock() KPID_THREAD_ANNOTATION(release_generic_capability()) { mutex_.unlock_shared(); }
    SharedLock(const SharedLock&) = delete;
    SharedLock& operator=(const SharedLock&) = delete;

private:
    SharedMutex& mutex_;
};

/// Writes for a scope.
class KPID_THREAD_ANNOTATION(scoped_lockable) ExclusiveLock {
public:
    explicit ExclusiveLock(SharedMutex& mutex) KPID_THREAD_ANNOTATION(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~ExclusiveLock() KPID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    ExclusiveLock(const ExclusiveLock&) = delete;
    ExclusiveLock& operator=(const ExclusiveLock&) = delete;

private:
    SharedMutex& mutex_;
};

}  // namespace kpid
