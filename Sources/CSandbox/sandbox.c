// A child that shares this process's memory until its program runs, as vfork has it: a copy would cost page tables of
// gigabytes of weights. So it calls nothing that allocates, and leaves what it has to say in `state`.

#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (256 << 10)
#define OWN_USER 1000

// Older headers lack these.
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define ALL_BELOW 0x8000
#define ATTRIBUTE_READ_ONLY 0x1
#define ATTRIBUTE_NO_SETUID 0x2
#define ATTRIBUTE_NO_DEVICES 0x4
#define CLOSE_ON_EXECUTE (1U << 2)

struct mount_attributes {
    uint64_t set, clear, propagation, user_namespace;
};

struct state {
    const struct sandbox_plan *plan;
    bool has_user_namespace;
    uid_t user;
    gid_t group;
    sigset_t signals;
    struct sandbox_outcome outcome;
};

static bool fail(struct state *state, enum sandbox_stage stage)
{
    state->outcome.stage = stage;
    state->outcome.error = errno;
    return false;
}

static bool write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t length = (ssize_t)strlen(text);
    bool done = write(file, text, (size_t)length) == length;
    int error = errno;
    close(file);
    errno = error;
    return done;
}

/// Gives the child a name of its own in its user namespace, and nobody else's.
static bool take_identity(struct state *state)
{
    if (!state->has_user_namespace) return true;
    char map[64];
    if (!write_file("/proc/self/setgroups", "deny")) return fail(state, SANDBOX_IDENTITY);
    snprintf(map, sizeof map, "%d %u 1", OWN_USER, (unsigned)state->user);
    if (!write_file("/proc/self/uid_map", map)) return fail(state, SANDBOX_IDENTITY);
    snprintf(map, sizeof map, "%d %u 1", OWN_USER, (unsigned)state->group);
    if (!write_file("/proc/self/gid_map", map)) return fail(state, SANDBOX_IDENTITY);
    return true;
}

static bool take_streams(struct state *state)
{
    int streams[3];
    for (int i = 0; i < 3; i++) {
        // Out of the way of the numbers that are about to be replaced.
        streams[i] = fcntl(state->plan->streams[i], F_DUPFD_CLOEXEC, 3);
        if (streams[i] < 0) return fail(state, SANDBOX_STREAMS);
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(streams[i], i) < 0) return fail(state, SANDBOX_STREAMS);
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXECUTE) < 0) return fail(state, SANDBOX_STREAMS);
    return true;
}

/// Makes all folders on the way to a path below the current folder.
static bool make_parents(char *path)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int outcome = mkdir(path, 0755);
        *slash = '/';
        if (outcome < 0 && errno != EEXIST) return false;
    }
    return true;
}

/// Shows something of the host below the current folder, where nobody can change it.
static bool show(const char *source, const char *target, uint64_t attributes)
{
    char path[PATH_MAX], link[PATH_MAX];
    struct stat status;
    if (lstat(source, &status) < 0) return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    if (snprintf(path, sizeof path, "%s", target + 1) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!make_parents(path)) return false;
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(source, link, sizeof link - 1);
        if (length < 0) return false;
        link[length] = 0;
        return symlink(link, path) == 0 || errno == EEXIST;
    }
    if (S_ISDIR(status.st_mode)) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST) return false;
    } else {
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (file < 0) return false;
        close(file);
    }
    if (mount(source, path, NULL, MS_BIND | MS_REC, NULL) < 0) return false;
    struct mount_attributes attributes_set = {.set = attributes};
    return syscall(SYS_mount_setattr, AT_FDCWD, path, ALL_BELOW, &attributes_set, sizeof attributes_set) == 0;
}

static bool build_root(struct state *state)
{
    const struct sandbox_plan *plan = state->plan;
    const uint64_t fixed = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SETUID | ATTRIBUTE_NO_DEVICES;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return fail(state, SANDBOX_MOUNT);
    if (mount("tmpfs", plan->root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") < 0
        || chdir(plan->root) < 0)
        return fail(state, SANDBOX_MOUNT);
    for (char *const *path = plan->readable; *path; path++) {
        if (!show(*path, *path, fixed)) return fail(state, SANDBOX_READABLE);
    }
    if (!show(plan->program, "/program", fixed)) return fail(state, SANDBOX_READABLE);
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        if (!show(devices[i], devices[i], ATTRIBUTE_NO_SETUID)) return fail(state, SANDBOX_DEVICES);
    }
    if (mkdir("tmp", 0755) < 0
        || mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, plan->scratch) < 0)
        return fail(state, SANDBOX_MOUNT);
    // It shows the child's own processes alone. Where containers forbid it, programs do without.
    if (mkdir("proc", 0555) == 0) mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0
        || mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
        return fail(state, SANDBOX_PIVOT);
    // What the host is called is none of its business, but no reason to fail either.
    (void)!sethostname("program", 7);
    return true;
}

static bool limit(int resource, uint64_t most)
{
    struct rlimit now, next = {.rlim_cur = most, .rlim_max = most};
    if (getrlimit(resource, &now) < 0) return false;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < most) next.rlim_cur = next.rlim_max = now.rlim_max;
    return setrlimit(resource, &next) == 0;
}

static bool take_processors(const struct sandbox_plan *plan)
{
    cpu_set_t all, own;
    if (sched_getaffinity(0, sizeof all, &all) < 0) return false;
    int count = CPU_COUNT(&all), taken = 0;
    if (count == 0 || plan->processors >= (uint32_t)count) return true;
    CPU_ZERO(&own);
    int first = (int)(plan->first_processor % (uint32_t)count);
    // Round the processors that there are, twice, so that every beginning finds enough.
    for (int number = 0, place = 0; number < 2 * CPU_SETSIZE && taken < (int)plan->processors; number++) {
        if (!CPU_ISSET(number % CPU_SETSIZE, &all)) continue;
        if (place++ < first) continue;
        CPU_SET(number % CPU_SETSIZE, &own);
        taken++;
    }
    return sched_setaffinity(0, sizeof own, &own) == 0;
}

/// Takes limits, and gives up privileges. Raw system calls: the library's would change all threads of the parent.
static bool take_limits(struct state *state)
{
    const struct sandbox_plan *plan = state->plan;
    if (!limit(RLIMIT_AS, plan->address_space) || !limit(RLIMIT_FSIZE, plan->file_size)
        || !limit(RLIMIT_NPROC, plan->processes) || !limit(RLIMIT_NOFILE, plan->open_files) || !limit(RLIMIT_CORE, 0))
        return fail(state, SANDBOX_LIMITS);
    if (!take_processors(plan)) return fail(state, SANDBOX_LIMITS);
    if (plan->root && !state->has_user_namespace) {
        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, plan->user, plan->user, plan->user) < 0
            || syscall(SYS_setresuid, plan->user, plan->user, plan->user) < 0)
            return fail(state, SANDBOX_IDENTITY);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail(state, SANDBOX_LIMITS);
    // Last, since a change of the user takes it away.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return fail(state, SANDBOX_LIMITS);
    umask(077);
    return true;
}

static void execute(const struct sandbox_plan *plan)
{
    if (strchr(plan->arguments[0], '/')) {
        execve(plan->arguments[0], plan->arguments, plan->environment);
        return;
    }
    char path[PATH_MAX];
    errno = ENOENT;
    for (char *const *folder = plan->search; *folder; folder++) {
        if (snprintf(path, sizeof path, "%s/%s", *folder, plan->arguments[0]) >= (int)sizeof path) continue;
        if (access(path, X_OK) < 0) continue;
        execve(path, plan->arguments, plan->environment);
        return;
    }
}

static int run_child(void *argument)
{
    struct state *state = argument;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, NULL);
    setsid();
    if (take_identity(state) && take_streams(state) && (!state->plan->root || build_root(state))
        && take_limits(state)) {
        if (chdir(state->plan->folder) < 0) {
            fail(state, SANDBOX_FOLDER);
        } else {
            sigset_t none;
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, NULL);
            execute(state->plan);
            fail(state, SANDBOX_EXECUTE);
        }
    }
    _exit(127);
}

static pid_t clone_child(struct state *state, void *stack, int namespaces)
{
    state->has_user_namespace = namespaces & CLONE_NEWUSER;
    state->outcome = (struct sandbox_outcome){.stage = SANDBOX_STARTED};
    return clone(run_child, (char *)stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD | namespaces, state);
}

struct sandbox_outcome sandbox_start(const struct sandbox_plan *plan)
{
    struct state state = {.plan = plan, .user = geteuid(), .group = getegid()};
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return (struct sandbox_outcome){.stage = SANDBOX_CLONE, .error = errno};
    // A handler of ours must not run in the child.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &state.signals);
    int namespaces = plan->root ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS : 0;
    pid_t child = -1;
    errno = EPERM;
    // The superuser needs no user namespace, and can give the child a name under which it is counted by itself.
    if (!plan->root || state.user == 0) child = clone_child(&state, stack, namespaces);
    if (child < 0 && plan->root && errno == EPERM) child = clone_child(&state, stack, namespaces | CLONE_NEWUSER);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &state.signals, NULL);
    munmap(stack, STACK_SIZE);
    if (child < 0) return (struct sandbox_outcome){.stage = SANDBOX_CLONE, .error = error};
    if (state.outcome.stage != SANDBOX_STARTED) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
        return state.outcome;
    }
    state.outcome.process = child;
    return state.outcome;
}

int sandbox_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC);
}
