/* Top-k on a device: the rows and the checks of the block's own test. Skipped without a device. */
#include "cuda/cuda.h"
#include "cuda/kernels.h"
#include "cuda/memory.h"
#include "cuda/status.h"
#include "cuda/stream.h"
#include "topk_rows.h"

enum { MAX_N = 100000, ROWS = 3, MOST_BLOCKS = 60 };

static struct jc_cuda_stream *stream;
static struct jc_cuda_buffer *scores_there, *records_there, *scores_here, *records_here, *candidates_there,
    *parts_there;

/* Several rows at once, each the row before turned by one: blocks must not meet. */
static void check_blocks(const float *scores, size_t n, size_t k, unsigned most_blocks)
{
    struct jc_err err;
    const size_t stride = sizeof(struct jc_cuda_answer) + k * sizeof(struct jc_hit);
    float *rows = jc_cuda_buffer_data(scores_here);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < n; i++)
            rows[r * n + i] = scores[(i + r) % n];
    char *records = jc_cuda_buffer_data(records_there);
    struct jc_rank rank = {.rows = {.scores = jc_cuda_buffer_data(scores_there),
                                    .n_rows = ROWS,
                                    .n = (uint32_t)n,
                                    .k = (uint32_t)k,
                                    .candidates = jc_cuda_buffer_data(candidates_there),
                                    .hits = records + sizeof(struct jc_cuda_answer),
                                    .stride = stride},
                           .calibration = {.sharpness = 1, .power = 1},
                           .parts = jc_cuda_buffer_data(parts_there),
                           .records = records};
    jc_rows_split(&rank.rows, most_blocks);
    REQUIRE_OK(jc_cuda_stream_copy(stream, jc_cuda_buffer_data(scores_there), rows, ROWS * n * sizeof *rows, &err));
    REQUIRE_OK(jc_cuda_check(jc_cuda_launch_rank(jc_cuda_stream_handle(stream), &rank), "ranking", &err));
    REQUIRE_OK(jc_cuda_stream_copy(stream, jc_cuda_buffer_data(records_here), records, ROWS * stride, &err));
    REQUIRE_OK(jc_cuda_stream_wait(stream, &err));
    for (size_t r = 0; r < ROWS; r++) {
        const char *record = (const char *)jc_cuda_buffer_data(records_here) + r * stride;
        topk_check(rows + r * n, n, k, (const struct jc_hit *)(const void *)(record + sizeof(struct jc_cuda_answer)),
                   "device");
    }
}

static void check_rows(const float *scores, size_t n, size_t k)
{
    check_blocks(scores, n, k, ROWS);
    check_blocks(scores, n, k, MOST_BLOCKS);
}

int main(void)
{
    struct jc_err err;
    struct jc_cuda_device device;
    const size_t n_records = ROWS * (sizeof(struct jc_cuda_answer) + JC_CUDA_MAX_HITS * sizeof(struct jc_hit));
    if (jc_cuda_count() == 0)
        check_skip("no GPU");
    REQUIRE_OK(jc_cuda_device_get(0, &device, &err));
    REQUIRE_OK(jc_cuda_stream_create(device.major, &stream, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, ROWS * MAX_N * sizeof(float), &scores_there, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_PINNED, ROWS * MAX_N * sizeof(float), &scores_here, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, n_records, &records_there, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_PINNED, n_records, &records_here, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, MOST_BLOCKS * JC_CUDA_MAX_HITS * sizeof(struct jc_hit),
                                     &candidates_there, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, MOST_BLOCKS * sizeof(struct jc_rank_part), &parts_there, &err));
    topk_each(check_rows);
    jc_cuda_buffer_destroy(scores_there);
    jc_cuda_buffer_destroy(scores_here);
    jc_cuda_buffer_destroy(records_there);
    jc_cuda_buffer_destroy(records_here);
    jc_cuda_buffer_destroy(candidates_there);
    jc_cuda_buffer_destroy(parts_there);
    jc_cuda_stream_destroy(stream);
    return check_finish();
}
