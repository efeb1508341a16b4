/* cage.c: runs a program as tools/heed.service has systemd run it, where systemd is not the one who
 * starts programs:
 *
 *     cage STATE CALLS PROGRAM ARGUMENT...
 *
 * STATE: the one folder that it may write to. CALLS: a file with the names of the system calls that
 * it may make, one a line; the others give EPERM (an empty file: all may be made). Root becomes
 * nobody without any capability, sees every file system read-only but STATE, no home folder and no
 * device but null, zero and urandom. Exit 77: this system does not let it be done. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, CALLS_MOST = 700, NO_EXEC_GAIN = 65, CANNOT = 77 };

static const struct {
    const char *name;
    int number;
} known[] = {
#include "calls.inc"
};

static void must(int failed, const char *what) {
    if (!failed) return;
    perror(what);
    exit(CANNOT);
}

struct attributes { /* struct mount_attr of linux/mount.h, which cannot stand beside sys/mount.h */
    unsigned long long set, clear, propagation, userns;
};

static void only_writes_to(const char *state) {
    struct attributes ro = { .set = 1 }, rw = { .clear = 1 };
    must(unshare(CLONE_NEWNS | CLONE_NEWIPC), "unshare");
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount /");
    must(mount(state, state, NULL, MS_BIND, NULL), state);
    must((int)syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000, &ro, sizeof ro), "read-only");
    must((int)syscall(SYS_mount_setattr, AT_FDCWD, state, 0, &rw, sizeof rw), state);
    static const char *const homes[] = { "/home", "/root", "/run/user" };
    for (int i = 0; i < 3; i++)
        if (access(homes[i], F_OK) == 0)
            must(mount("none", homes[i], "tmpfs", MS_RDONLY, "size=4k,mode=000"), homes[i]);
}

static void only_plain_devices(void) {
    static const char *const kept[] = { "null", "zero", "urandom" };
    char from[64], to[64];
    int fd[3];
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "/dev/%s", kept[i]);
        must((fd[i] = open(from, O_PATH | O_CLOEXEC)) < 0, from);
    }
    must(mount("none", "/dev", "tmpfs", 0, "size=64k,mode=755"), "/dev");
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "/proc/self/fd/%d", fd[i]);
        snprintf(to, sizeof to, "/dev/%s", kept[i]);
        close(open(to, O_WRONLY | O_CREAT, 0600));
        must(mount(from, to, NULL, MS_BIND, NULL), to);
    }
    must(mount(NULL, "/dev", NULL, MS_REMOUNT | MS_RDONLY, NULL), "/dev");
}

static void become_nobody(void) {
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
        ;
    must(setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
             setresuid(NOBODY, NOBODY, NOBODY),
         "nobody");
}

/* One word of the filter at a time. */
static struct sock_filter filter[CALLS_MOST + 32];
static unsigned short filters;

static void add(unsigned code, unsigned k, unsigned yes, unsigned no) {
    filter[filters++] = (struct sock_filter){ (unsigned short)code, (unsigned char)yes,
                                              (unsigned char)no, k };
}

/* As SystemCallFilter, SystemCallArchitectures and RestrictAddressFamilies do. */
static void only_calls(const char *path) {
    char line[128];
    FILE *f = fopen(path, "r");
    int n = 0;
    must(!f, path);
#ifdef __x86_64__
    const unsigned arch = AUDIT_ARCH_X86_64;
#else
    const unsigned arch = AUDIT_ARCH_AARCH64;
#endif
    const unsigned eperm = SECCOMP_RET_ERRNO | EPERM, load = BPF_LD | BPF_W | BPF_ABS;
    const unsigned equal = BPF_JMP | BPF_JEQ | BPF_K, answer = BPF_RET | BPF_K;
    add(load, offsetof(struct seccomp_data, arch), 0, 0);
    add(equal, arch, 1, 0);
    add(answer, eperm, 0, 0);
    add(load, offsetof(struct seccomp_data, nr), 0, 0);
    add(equal, SYS_socket, 0, 6);
    add(load, offsetof(struct seccomp_data, args), 0, 0);
    add(equal, AF_UNIX, 3, 0);
    add(equal, AF_INET, 2, 0);
    add(equal, AF_INET6, 1, 0);
    add(answer, SECCOMP_RET_ERRNO | EAFNOSUPPORT, 0, 0);
    add(load, offsetof(struct seccomp_data, nr), 0, 0);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, " \n")] = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known && n < CALLS_MOST / 2; i++) {
            if (strcmp(known[i].name, line) != 0) continue;
            add(equal, (unsigned)known[i].number, 0, 1);
            add(answer, SECCOMP_RET_ALLOW, 0, 0);
            n++;
        }
    }
    fclose(f);
    add(answer, n > 0 ? eperm : SECCOMP_RET_ALLOW, 0, 0);
    const struct sock_fprog program = { filters, filter };
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "system calls");
}

int main(int argc, char **argv) {
    if (argc < 4) return CANNOT;
    const struct rlimit files = { 20000, 20000 }, none = { 0, 0 };
    if (getuid() == 0) {
        only_writes_to(argv[1]);
        only_plain_devices();
    }
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) perror("LimitNOFILE");
    setrlimit(RLIMIT_CORE, &none);
    umask(0077);
    must(chdir(argv[1]), argv[1]);
    if (getuid() == 0) become_nobody();
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "NoNewPrivileges");
    if (prctl(NO_EXEC_GAIN, 1, 0, 0, 0) != 0) perror("MemoryDenyWriteExecute");
    only_calls(argv[2]);
    execv(argv[3], argv + 3);
    perror(argv[3]);
    return 1;
}
