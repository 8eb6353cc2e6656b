/*
 * What a row of scores, or a part of one, adds to what makes probabilities of it (artifact/head.h has the formula,
 * model/scoring.h the struct), by a block: the best score, then the sum of exponentials, then the mass. In float32: the host's sums are
 * double, and differ in the seventh digit.
 */
#ifndef JC_CUDA_NORM_BLOCK_H
#define JC_CUDA_NORM_BLOCK_H

#include "cuda/topk_block.h"

#define JC_NORM_THREADS JC_TOPK_THREADS
#define JC_NORM_WARPS (JC_NORM_THREADS / JC_WARP)

/* As struct jc_norm. */
struct jc_cuda_norm {
    float best, log_sum, peak, mass;
};

struct jc_cuda_calibration {
    float sharpness, saturation, power;
};

struct jc_norm_shared {
    float parts[JC_NORM_WARPS];
};

/* parts: a value a thread. The sum, or the largest, for all threads. */
JC_KERNEL float jc_norm_reduce(struct jc_norm_shared *shared, const float *parts, int is_sum)
{
    JC_WARPS(w, JC_NORM_WARPS)
    {
        const float *own = parts + JC_OWN(w * JC_WARP);
        shared->parts[w] = is_sum ? jc_warp_sum(own) : jc_warp_max(own);
    }
    JC_BARRIER();
    float all = shared->parts[0];
    for (unsigned w = 1; w < JC_NORM_WARPS; w++)
        all = is_sum ? all + shared->parts[w] : fmaxf(all, shared->parts[w]);
    JC_BARRIER();
    return all;
}

/* log(q / (1 + saturation * q)) of log q. */
JC_KERNEL float jc_norm_saturate(float log_q, float saturation)
{
    return log_q - logf(1 + saturation * expf(log_q));
}

/* *ret_best: the highest score; returns the sum of exp(sharpness * (score - best)). For all threads, as below. */
JC_KERNEL float jc_norm_sum(struct jc_norm_shared *shared, const struct jc_topk_row *row, float sharpness,
                            float *ret_best)
{
    float parts[JC_EACH_THREAD(JC_NORM_THREADS)];
    JC_THREADS(t, JC_NORM_THREADS)
    {
        parts[JC_OWN(t)] = -INFINITY;
        for (uint32_t i = t; i < row->n; i += JC_NORM_THREADS)
            parts[JC_OWN(t)] = fmaxf(parts[JC_OWN(t)], jc_topk_score(row, i));
    }
    const float best = jc_norm_reduce(shared, parts, 0);
    JC_THREADS(t, JC_NORM_THREADS)
    {
        parts[JC_OWN(t)] = 0;
        for (uint32_t i = t; i < row->n; i += JC_NORM_THREADS)
            parts[JC_OWN(t)] += expf(sharpness * (jc_topk_score(row, i) - best));
    }
    *ret_best = best;
    return jc_norm_reduce(shared, parts, 1);
}

/* The row's share of the mass. norm: best, log_sum and peak are set. */
JC_KERNEL float jc_norm_mass(struct jc_norm_shared *shared, const struct jc_topk_row *row,
                             const struct jc_cuda_calibration *calibration, const struct jc_cuda_norm *norm)
{
    float parts[JC_EACH_THREAD(JC_NORM_THREADS)];
    JC_THREADS(t, JC_NORM_THREADS)
    {
        parts[JC_OWN(t)] = 0;
        for (uint32_t i = t; i < row->n; i += JC_NORM_THREADS) {
            const float log_q = calibration->sharpness * (jc_topk_score(row, i) - norm->best) - norm->log_sum;
            parts[JC_OWN(t)] +=
                expf(calibration->power * (jc_norm_saturate(log_q, calibration->saturation) - norm->peak));
        }
    }
    return jc_norm_reduce(shared, parts, 1);
}

#endif
