// Shows the thread sanitizer the one thing about `Synchronization.Mutex` that it cannot see.
//
// On Linux that mutex is a futex. Its fast path is inlined into our code and instrumented with it. When two threads
// contend, both the locker and the unlocker go through the slow path in libswiftSynchronization.so, which is not
// instrumented: the kernel hands the lock over, the sanitizer sees no order between the two critical sections, and
// reports a race in whatever they touch. The functions below stand in front of the slow path and tell it. They hide
// nothing: state that is touched without its mutex is still reported.
//
// `scripts/test-threads` links this file into the sanitized programs; nothing else does. Names and signatures are
// those of `_MutexHandle` in the Swift 6 ABI, whose `self` is the address of the lock.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Weak, since a tool that is built for the host has no sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

static SWIFT void (*original_lock)(uint32_t thread, SELF void *lock);
static SWIFT bool (*original_try_lock)(SELF void *lock);
static SWIFT void (*original_unlock)(SELF void *lock);

// Before main, since asking later could wait for a thread that loads a library and waits for this very lock.
__attribute__((constructor)) static void find_originals(void) {
    original_lock = dlsym(RTLD_NEXT, LOCK_SLOW);
    original_try_lock = dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    original_unlock = dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT void lock_slow(uint32_t thread, SELF void *lock) __asm__(LOCK_SLOW);
SWIFT bool try_lock_slow(SELF void *lock) __asm__(TRY_LOCK_SLOW);
SWIFT void unlock_slow(SELF void *lock) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF void *lock) {
    original_lock(thread, lock);
    if (__tsan_acquire) __tsan_acquire(lock);
}

SWIFT bool try_lock_slow(SELF void *lock) {
    bool taken = original_try_lock(lock);
    if (taken && __tsan_acquire) __tsan_acquire(lock);
    return taken;
}

SWIFT void unlock_slow(SELF void *lock) {
    if (__tsan_release) __tsan_release(lock);
    original_unlock(lock);
}
