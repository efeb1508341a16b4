/* attn_head.c: what fused attention's backward does once a head: dy·y of each row before the blocks
 * of keys, the gradients of queries, scale and sinks around them. */
#include <math.h>
#include <string.h>

#include "kernels/attn_pass.h"
#include "kernels/math.h"
#include "kernels/row.h"

void heed__attn_head_start(heed_attn_grad_place *c) {
    const heed_attn *a = c->a;
    const heed_attn_form *form = heed__attn_form(a);
    const int64_t n = c->run->q1 - c->run->q0, ld = a->H * a->Dv, head = c->run->b * a->H + c->h;
    const int64_t at = (c->run->b * a->T + c->run->q0) * ld + c->h * a->Dv;
    const size_t rows = (size_t)(n + HEED_ATTN_GROUP);
    memset(c->dq, 0, rows * (size_t)heed__attn_round16(a->D) * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        const int64_t next = at + (i + HEED_ATTN_AHEAD) * ld;
        for (int64_t j = 0; i + HEED_ATTN_AHEAD < n && j < a->Dv; j += 16) {
            __builtin_prefetch(a->dout + next + j);
            __builtin_prefetch(a->out + next + j);
        }
        c->delta[i] = form->dot(c->k, a->dout + at + i * ld, a->out + at + i * ld, a->Dv);
    }
    const float *lse = a->lse + head * a->T + c->run->q0;
    c->whole = false;
    for (int64_t i = 0; i < n && !c->whole; i++) c->whole = !isfinite(c->delta[i]);
    c->steep = !c->k->attn->within(c->delta, n, 1, n, HEED_ATTN_MODEST) ||
               !c->k->attn->within(a->dout + at, ld, n, a->Dv, HEED_ATTN_MODEST);
    if (!a->dsinks) return;
    for (int64_t i = 0; i < n; i++)
        c->work[i] = (a->sinks[c->h] * HEED_ATTN_LOG2E - lse[i]) * HEED_ATTN_LN2;
    c->k->math->exp(c->work, c->work, n);
    float sum = a->dsinks[head];
    for (int64_t i = 0; i < n; i++) sum = fmaf(-c->work[i], c->delta[i], sum);
    a->dsinks[head] = sum;
}

/* Of a query that sees nothing: whatever it holds, a NaN too, no gradient comes of it. */
static bool all_zero(const float *x, int64_t n) {
    int64_t i = 0;
    while (i < n && x[i] == 0) i++;
    return i == n;
}

void heed__attn_head_store(const heed_attn_grad_place *c) {
    const heed_attn *a = c->a;
    const heed_kernels *k = c->k;
    const int64_t n = c->run->q1 - c->run->q0, ld = a->H * a->D, dp = heed__attn_round16(a->D);
    const int64_t at = (c->run->b * a->T + c->run->q0) * ld + c->h * a->D;
    const float scale = a->scale[c->h];
    float sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *q = a->q + at + i * ld, *dq = c->dq + i * dp;
        float unit = 1, dot = 0;
        if (a->dq && i + HEED_ATTN_AHEAD < n)
            heed__attn_expect(a->dq + at + (i + HEED_ATTN_AHEAD) * ld, a->D);
        if ((a->cosine || a->dscale) && all_zero(dq, a->D)) continue;
        if (a->cosine) heed__attn_unit(k, &unit, q, ld, 1, a->D);
        if (a->cosine || a->dscale) dot = k->row->dot(q, dq, a->D) * unit;
        sum += dot;
        if (!a->dq) continue;
        k->attn->add_scaled(a->dq + at + i * ld, dq, scale * unit, a->D);
        if (a->cosine)
            k->attn->add_scaled(a->dq + at + i * ld, q, -scale * unit * unit * dot, a->D);
    }
    if (a->dscale) a->dscale[c->run->b * a->H + c->h] += sum;
}
