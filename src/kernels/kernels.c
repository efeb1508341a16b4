/* kernels.c: chooses the kernel table. By the CPU's feature flags and by what the operating system
 * saves over a context switch (__builtin_cpu_supports asks both), never by the name of a CPU. The
 * tables are constants, and so is everything here: nothing is resolved once and kept. Only a table
 * that is chosen is asked for: forcing avx512 leaves the process without AMX state.
 */
#include "kernels/kernels.h"
#include "base/alloc.h"
#include "kernels/tables.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(HEED_HAVE_AMX)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* From the plainest to the best; a CPU that can run one can run those before it, so what this CPU
 * can run is the front part of the list. */
static const heed_kernels *const plain[] = {
    &heed__kernels_scalar, /* any machine */
#if defined(__x86_64__)
    &heed__kernels_avx2,   /* Haswell 2013+, Zen 2017+ */
    &heed__kernels_avx512, /* Skylake-SP 2017+ */
#if defined(HEED_HAVE_AMX)
    &heed__kernels_amx, /* Sapphire Rapids 2023+ */
#endif
#elif defined(__aarch64__)
    &heed__kernels_neon, /* every 64-bit ARM */
#endif
};
enum { TABLES = sizeof plain / sizeof *plain };

#if defined(__x86_64__)
static const heed_kernels *const vnni[TABLES] = {
    &heed__kernels_scalar,
    &heed__kernels_avx2,
    &heed__kernels_avx512_vnni, /* Cascade Lake 2019+, Zen 4 2022+ */
#if defined(HEED_HAVE_AMX)
    &heed__kernels_amx,
#endif
};
#endif

#if defined(__x86_64__)
static const char *lack_avx2(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return "this CPU has no AVX2";
    return __builtin_cpu_supports("fma") ? NULL : "this CPU has no FMA";
}

static const char *lack_avx512(void) {
    const char *why = lack_avx2();
    if (why) return why;
    if (!__builtin_cpu_supports("avx512f")) return "this CPU has no AVX-512";
    const bool all = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vl");
    return all ? NULL : "this CPU has no AVX-512 BW, DQ and VL";
}

#if defined(HEED_HAVE_AMX)
enum { TILE_DATA = 18 }; /* bit of XCR0 and number of the state that tiles are */

/* The operating system saves tiles over a context switch: bits 17 and 18 of XCR0. */
static bool saves_tiles(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a >> 17 & 3) == 3;
}

/* Linux lets a process use tiles once it has asked; the answer holds for all of its threads, and
 * asking from several at once is fine. */
static bool may_use_tiles(void) {
    enum { ARCH_GET_XCOMP_PERM = 0x1022, ARCH_REQ_XCOMP_PERM = 0x1023 };
    uint64_t granted = 0;
    if (!syscall(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &granted) && granted >> TILE_DATA & 1)
        return true;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}
#endif

static const char *lack_amx(void) {
    enum { BF16 = 1 << 22, TILE = 1 << 24, INT8 = 1 << 25, ALL = BF16 | TILE | INT8 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & ALL) != ALL) return "this CPU has no AMX";
#if defined(HEED_HAVE_AMX)
    const char *why = lack_avx512();
    if (why) return why;
    if (!__builtin_cpu_supports("avx512vnni")) return "this CPU has no AVX-512 VNNI";
    if (!__builtin_cpu_supports("avx512bf16")) return "this CPU has no AVX-512 BF16";
    if (!saves_tiles()) return "this operating system does not save AMX tiles";
    return may_use_tiles() ? NULL : "this operating system does not permit AMX";
#else
    return "this build has no AMX kernels";
#endif
}
#endif

const char *heed__kernels_lack(const char *name) {
    if (strcmp(name, "scalar") == 0) return NULL;
#if defined(__x86_64__)
    if (strcmp(name, "avx2") == 0) return lack_avx2();
    if (strcmp(name, "avx512") == 0) return lack_avx512();
    if (strcmp(name, "amx") == 0) return lack_amx();
    return "this CPU has no NEON";
#elif defined(__aarch64__)
    if (strcmp(name, "neon") == 0) return NULL;
    return "this CPU is an ARM";
#else
    return "this build has scalar kernels only";
#endif
}

/* The list for this CPU. */
static const heed_kernels *const *best(void) {
#if defined(__x86_64__)
    if (!lack_avx512() && __builtin_cpu_supports("avx512vnni")) return vnni;
#endif
    return plain;
}

const heed_kernels *const *heed__kernels_all(int *count) {
    int n = 1;
    while (n < TABLES && !heed__kernels_lack(plain[n]->name)) n++;
    *count = n;
    return best();
}

const heed_kernels *heed__kernels(const char *isa, heed_error *err) {
    static const char *const names[] = { "scalar", "avx2", "avx512", "amx", "neon" };
    const char *from = isa ? "" : "HEED_ISA: ";
    if (!isa) isa = getenv("HEED_ISA");
    if (!isa || !*isa) {
        int count;
        const heed_kernels *const *tables = heed__kernels_all(&count);
        return tables[count - 1];
    }

    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) known |= strcmp(isa, names[i]) == 0;
    if (!known) {
        heed__error(err, HEED_EINVALID,
                    "%s'%.40s' is no instruction set; there are scalar, avx2, avx512, amx, neon",
                    from, isa);
        return NULL;
    }
    const char *why = heed__kernels_lack(isa);
    for (int i = 0; !why && i < TABLES; i++)
        if (strcmp(isa, best()[i]->name) == 0) return best()[i];
    heed__error(err, HEED_EUNSUPPORTED, "%s%s cannot be used: %s", from, isa, why);
    return NULL;
}
