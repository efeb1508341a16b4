/* tiles_emulated.h: the tile operations of tiles_amx.h in plain C, as Intel's manual states the
 * instructions, so that what is built over them can be tested on any machine. TILES_AVX512 asks for
 * the conversions of tiles_avx512.h. */
#ifndef HEED_KERNELS_TILES_EMULATED_H
#define HEED_KERNELS_TILES_EMULATED_H

typedef struct tile_state {
    bool begun;
    uint8_t tile[8][16][64];
} tile_state;
static _Thread_local tile_state tiles;
static _Atomic int tile_faults; /* uses of tiles outside of begin and end, which a CPU refuses */

static void tiles_begin(void) {
    if (tiles.begun) tile_faults++;
    memset(&tiles.tile, 0, sizeof tiles.tile);
    tiles.begun = true;
}

static void tiles_end(void) {
    if (!tiles.begun) tile_faults++;
    tiles.begun = false;
}

static void tile_zero(int t) {
    tile_faults += !tiles.begun;
    memset(tiles.tile[t], 0, sizeof tiles.tile[t]);
}

static void tile_load(int t, const void *p, int64_t step) {
    tile_faults += !tiles.begun;
    for (int r = 0; r < 16; r++) memcpy(tiles.tile[t][r], (const char *)p + r * step, 64);
}

static void tile_store(int t, void *p, int64_t step) {
    tile_faults += !tiles.begun;
    for (int r = 0; r < 16; r++) memcpy((char *)p + r * step, tiles.tile[t][r], 64);
}

/* Denormals are zeros. */
static float tile_flush(float x) {
    return fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x;
}

static float tile_bf16(const uint8_t *p) {
    uint16_t half;
    memcpy(&half, p, sizeof half);
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return tile_flush(x);
}

/* TDPBF16PS: nearest even, whatever the rounding mode of the thread. */
static void tile_dp_bf16(int c, int a, int b) {
    tile_faults += !tiles.begun;
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++) {
            float sum[2] = { 0.0f, 0.0f };
            for (int k = 0; k < 32; k++) {
                const float x = tile_bf16(&tiles.tile[a][m][2 * k]);
                const float y = tile_bf16(&tiles.tile[b][k / 2][4 * n + 2 * (k % 2)]);
                sum[k % 2] = tile_flush(fmaf(x, y, sum[k % 2]));
            }
            float old;
            memcpy(&old, &tiles.tile[c][m][4 * n], sizeof old);
            old = tile_flush(tile_flush(old) + tile_flush(sum[0] + sum[1]));
            memcpy(&tiles.tile[c][m][4 * n], &old, sizeof old);
        }
}

/* TDPBSSD */
static void tile_dp_s8(int c, int a, int b) {
    tile_faults += !tiles.begun;
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++) {
            uint32_t sum;
            memcpy(&sum, &tiles.tile[c][m][4 * n], sizeof sum);
            for (int k = 0; k < 64; k++) {
                const int8_t x = (int8_t)tiles.tile[a][m][k];
                const int8_t y = (int8_t)tiles.tile[b][k / 4][4 * n + k % 4];
                sum += (uint32_t)(x * y);
            }
            memcpy(&tiles.tile[c][m][4 * n], &sum, sizeof sum);
        }
}

#define TILE_ZERO(t)           tile_zero(t)
#define TILE_LOAD(t, p, step)  tile_load(t, p, step)
#define TILE_STORE(t, p, step) tile_store(t, p, step)
#define TILE_DP_BF16(c, a, b)  tile_dp_bf16(c, a, b)
#define TILE_DP_S8(c, a, b)    tile_dp_s8(c, a, b)

#ifdef TILES_AVX512
#include "kernels/tiles_avx512.h"
#else
VEC_INLINE vf tile_pairs(vf low, vf high) {
    const vi top = vi_set1((int32_t)0xffff0000u);
    return vi_as_vf(
        vi_or(vi_shr(vf_as_vi(vf_to_bf16(low)), 16), vi_and(vf_as_vi(vf_to_bf16(high)), top)));
}

static vf tile_row(vf low, vf high) {
    float x[32], y[16];
    vf_store(x, vf_to_bf16(low));
    vf_store(x + 16, vf_to_bf16(high));
    for (int i = 0; i < 32; i++) memcpy((char *)y + 2 * i, (const char *)(x + i) + 2, 2);
    return vf_load(y);
}
#endif

#endif
