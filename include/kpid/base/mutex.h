#pragma once
// std::mutex with clang's thread-safety annotations.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define KPID_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define KPID_THREAD_ANNOTATION(x)
#endif
/// This member is read and written only with that mutex held.
#define KPID_GUARDED_BY(x) KPID_THREAD_ANNOTATION(guarded_by(x))
/// The caller holds that mutex.
#define KPID_REQUIRES(x) KPID_THREAD_ANNOTATION(requires_capability(x))
/// The caller does not hold it.
#define KPID_EXCLUDES(x) KPID_THREAD_ANNOTATION(locks_excluded(x))

namespace kpid {

class KPID_THREAD_ANNOTATION(capability("mutex")) Mutex {
public:
    void lock() KPID_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
    void unlock() KPID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

/// Holds a Mutex for a scope.
class KPID_THREAD_ANNOTATION(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) KPID_THREAD_ANNOTATION(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() KPID_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

/// Waits with a Mutex held; std::condition_variable_any on our Mutex.
using CondVar = std::condition_variable_any;

}  // namespace kpid
