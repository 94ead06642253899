#pragma once

#include <git2.h>

// Swift cannot call C functions with variable arguments; each option that Martlet sets has a function of its own here.

/// Makes libgit2 keep parsed objects of open repositories in memory, or not.
static inline int martlet_git_set_caching(int enabled) {
    return git_libgit2_opts(GIT_OPT_ENABLE_CACHING, enabled);
}

/// Makes libgit2 trust the authorities of a file or a folder instead of the system's; below 0 when none can be read.
static inline int martlet_git_set_certificate_locations(const char *file, const char *folder) {
    return git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, folder);
}

/// Makes libgit2 flush what it writes into repositories to the disk before it gives it its name.
static inline int martlet_git_set_fsync(int enabled) {
    return git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, enabled);
}
