#pragma once

#include <git2.h>

// Swift cannot call C functions with variable arguments; each option that Martlet sets has a function of its own here.

/// Limits, in bytes, the memory in which libgit2 keeps parsed objects of all open repositories.
static inline int martlet_git_set_cache_limit(ssize_t bytes) {
    return git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, bytes);
}

/// Limits, in bytes, the size of a folder's tree up to which it is kept in that memory.
static inline int martlet_git_set_tree_cache_limit(size_t bytes) {
    return git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, bytes);
}

/// Makes libgit2 trust the authorities of a file or a folder instead of the system's; below 0 when none can be read.
static inline int martlet_git_set_certificate_locations(const char *file, const char *folder) {
    return git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, folder);
}

/// Makes libgit2 flush what it writes into repositories to the disk before it gives it its name.
static inline int martlet_git_set_fsync(int enabled) {
    return git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, enabled);
}
