#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What a child may see and use. Every list of texts ends with NULL; every path is absolute.
struct sandbox_plan {
    /// The program's words; the first one without a slash is looked for in `search`.
    char *const *arguments;
    char *const *environment;
    char *const *search;
    /// What becomes its standard streams.
    int streams[3];
    /// Where it starts: a path of the host, or one inside where there is a `root`.
    const char *folder;

    /// An empty folder that the child's own root is built upon; NULL: the child sees what this process sees.
    const char *root;
    /// A folder of the host that the child sees as `/program`.
    const char *program;
    /// Files, folders and links of the host that it sees in the same places. What is not there is left out.
    char *const *readable;
    /// Options of the memory file system that it has for /tmp.
    const char *scratch;
    /// Who it is, where this process is the superuser and may give it another name.
    uint32_t user;

    /// In bytes, of each process.
    uint64_t address_space;
    /// In bytes, of each file.
    uint64_t file_size;
    uint64_t processes;
    uint64_t open_files;
    /// How many of this thread's processors it may use, beginning with the one at `first_processor`.
    uint32_t processors;
    uint32_t first_processor;
};

/// What a child could not do before its program.
enum sandbox_stage {
    SANDBOX_STARTED = 0,
    SANDBOX_CLONE,
    SANDBOX_IDENTITY,
    SANDBOX_STREAMS,
    SANDBOX_MOUNT,
    SANDBOX_READABLE,
    SANDBOX_DEVICES,
    SANDBOX_PIVOT,
    SANDBOX_LIMITS,
    SANDBOX_FOLDER,
    SANDBOX_EXECUTE,
};

struct sandbox_outcome {
    pid_t process;
    enum sandbox_stage stage;
    /// An errno.
    int error;
};

/// Starts a child that is killed when the calling thread ends. Blocks until its program runs, or cannot.
///
/// In a sandbox it has no network, processes of its own, a read-only root and no privileges; without one (`root` is NULL)
/// only the limits, the streams and the environment are its own.
struct sandbox_outcome sandbox_start(const struct sandbox_plan *plan);

/// Makes a pipe of which no end leaks into other children; 0, or -1 and errno.
int sandbox_pipe(int ends[2]);

#endif
