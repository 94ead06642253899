#pragma once

#include <git2.h>
#include <git2/sys/errors.h>

// Swift cannot call C functions with variable arguments; each option that Martlet sets has a function of its own here.

/// Limits, in bytes, the memory in which libgit2 keeps parsed objects of all open repositories.
static inline int martlet_git_set_cache_limit(ssize_t bytes) {
    return git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, bytes);
}

/// Says whether objects are hashed again as they are read, so that damage is noticed.
static inline int martlet_git_set_strict_hash_verification(int enabled) {
    return git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, enabled);
}

/// Limits, in bytes, the objects that are read from packs; a larger one is an error instead of an allocation.
static inline int martlet_git_set_pack_object_limit(size_t bytes) {
    return git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, bytes);
}
