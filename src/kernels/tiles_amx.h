/* tiles_amx.h: the tile operations that body_amx.inc is written over, by the instructions of AMX.
 * tiles_emulated.h has the same in plain C.
 *
 *   tiles_begin tiles_end        around the use of tiles on a thread: all eight as 16 rows of 64
 *                                bytes, then given back
 *   TILE_ZERO(t)                 t = 0..7, a literal
 *   TILE_LOAD(t, p, step)        16 rows of 64 bytes, `step` bytes apart
 *   TILE_STORE(t, p, step)
 *   TILE_DP_BF16(c, a, b)        c [16,16] f32 += a [16 rows, 32 k] · b [16 pairs of k, 16 columns,
 *                                2] in the order of bf16.h
 *   TILE_DP_S8(c, a, b)          c [16,16] i32 += a [16 rows, 64 k] · b [16 fours of k, 16 columns,
 *                                4] of int8, wrapping
 *   tile_row(low, high)          32 floats rounded to bf16 as bf16.h has it, in their order
 *   tile_pairs(low, high)        the same, lane i the pair of low's i-th and high's
 */
#ifndef HEED_KERNELS_TILES_AMX_H
#define HEED_KERNELS_TILES_AMX_H

/* Palette 1; bytes of a row from byte 16 on (two each), rows from byte 48 on. */
static const uint8_t tile_shapes[64] __attribute__((aligned(64))) = {
    [0] = 1,   [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64,
    [26] = 64, [28] = 64, [30] = 64, [48] = 16, [49] = 16, [50] = 16,
    [51] = 16, [52] = 16, [53] = 16, [54] = 16, [55] = 16,
};

static void tiles_begin(void) {
    _tile_loadconfig(tile_shapes);
}

static void tiles_end(void) {
    _tile_release();
}

/* gcc's load does not tell the compiler that memory is read: what was stored must be there. */
#define TILE_LOAD(t, p, step)                                                                      \
    do {                                                                                           \
        __asm__ volatile("" ::: "memory");                                                         \
        _tile_loadd(t, p, step);                                                                   \
    } while (0)
#define TILE_STORE(t, p, step) _tile_stored(t, p, step)
#define TILE_ZERO(t)           _tile_zero(t)
#define TILE_DP_BF16(c, a, b)  _tile_dpbf16ps(c, a, b)
#define TILE_DP_S8(c, a, b)    _tile_dpbssd(c, a, b)

#include "kernels/tiles_avx512.h"

#endif
