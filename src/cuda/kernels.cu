/* The kernels, and their launches. See kernels.h; what they do is in the headers *_block.h. */
#include "cuda/kernels.h"

#include "cuda/attend_block.h"

#define ROW_WARPS 8U /* rows of a block */
#define ROW_THREADS (ROW_WARPS * JC_WARP)
#define COLUMN_THREADS 256U
#define BLOCKS_PER_PROCESSOR 8U

/* Warps that share the rows of a grid: the caller's, and how many. */
static __device__ unsigned find_warp(unsigned *ret_n_warps)
{
    *ret_n_warps = gridDim.x * ROW_WARPS;
    return blockIdx.x * ROW_WARPS + threadIdx.x / JC_WARP;
}

static __device__ __forceinline__ size_t offset(size_t row, unsigned n, int wide)
{
    return row * n * JC_STORED_SIZE(wide);
}

/* A block a piece: a warp takes every eighth of its tokens. */
template <int WIDE, unsigned OWN>
static __global__ void __launch_bounds__(ROW_THREADS)
    run_embed(const struct jc_cuda_batch *batch, struct jc_cuda_embed e)
{
    const struct jc_piece *pieces = jc_cuda_batch_pieces(batch);
    const int32_t *ids = jc_cuda_batch_ids(batch);
    for (unsigned i = blockIdx.x; i < batch->n_pieces; i += gridDim.x) {
        const struct jc_piece piece = pieces[i];
        unsigned end = piece.first_query + JC_ATTEND_QUERIES;
        if (end > piece.n_tokens)
            end = piece.n_tokens;
        for (unsigned t = piece.first_query + threadIdx.x / JC_WARP; t < end; t += ROW_WARPS) {
            const size_t row = (size_t)piece.row + t;
            jc_row_embed((const char *)e.words + offset((size_t)ids[row], e.hidden, WIDE),
                         (const char *)e.positions + offset(t, e.hidden, WIDE), &e.norm, e.hidden, OWN, WIDE,
                         (char *)e.x + offset(row, e.hidden, WIDE));
        }
    }
}

template <int WIDE, unsigned OWN>
static __global__ void __launch_bounds__(ROW_THREADS) run_add(const struct jc_cuda_batch *batch, struct jc_cuda_add a)
{
    unsigned n_warps;
    for (unsigned row = find_warp(&n_warps); row < batch->n_rows; row += n_warps)
        jc_row_residual((const char *)a.sums + offset(row, a.hidden, WIDE), a.bias, &a.norm, a.hidden, OWN, WIDE,
                        (char *)a.x + offset(row, a.hidden, WIDE));
}

template <int WIDE, unsigned OWN>
static __global__ void __launch_bounds__(ROW_THREADS) run_pool(const struct jc_cuda_batch *batch, struct jc_cuda_pool p)
{
    const struct jc_piece *pieces = jc_cuda_batch_pieces(batch);
    unsigned n_warps;
    for (unsigned i = find_warp(&n_warps); i < batch->n_pieces; i += n_warps) {
        const struct jc_piece piece = pieces[i];
        if (piece.first_query)
            continue;
        const int is_finite =
            jc_row_pool((const char *)p.x + offset(piece.row, p.hidden, WIDE), p.is_mean ? piece.n_tokens : 1, p.hidden,
                        OWN, WIDE, p.vectors + (size_t)piece.text * p.hidden);
        if (threadIdx.x % JC_WARP == 0)
            p.finite[piece.text] = (uint32_t)is_finite;
    }
}

/* A block a piece and head. DIM: the heads' dimensions, or 0 where it has to be asked. */
template <int WIDE, unsigned DIM>
static __global__ void __launch_bounds__(JC_ATTEND_THREADS)
    run_attend(const struct jc_cuda_batch *batch, struct jc_cuda_attend a)
{
    extern __shared__ float memory[];
    const unsigned n = batch->n_pieces * a.heads;
    for (unsigned i = blockIdx.x; i < n; i += gridDim.x) {
        struct jc_attend_head head;
        head.qkv = a.qkv;
        head.bias = a.bias;
        head.context = a.context;
        head.hidden = a.hidden;
        head.dim = DIM ? DIM : a.hidden / a.heads;
        head.head = i % a.heads;
        head.piece = jc_cuda_batch_pieces(batch)[i / a.heads];
        jc_attend_block(memory, &head, WIDE);
    }
}

/* A block a row. */
template <int WIDE>
static __global__ void __launch_bounds__(COLUMN_THREADS)
    run_gelu(const struct jc_cuda_batch *batch, struct jc_cuda_gelu g)
{
    for (unsigned row = blockIdx.x; row < batch->n_rows; row += gridDim.x)
        for (unsigned k = 2 * threadIdx.x; k < g.n; k += 2 * COLUMN_THREADS)
            jc_row_gelu_pair((char *)g.inner + offset(row, g.n, WIDE), g.bias, k, WIDE);
}

template <int WIDE> static __global__ void __launch_bounds__(COLUMN_THREADS) run_query(struct jc_cuda_query q)
{
    const unsigned width = q.dim + q.n_words;
    const size_t row = blockIdx.x;
    for (unsigned k = threadIdx.x; k < width; k += COLUMN_THREADS)
        jc_store(q.queries, row * width + k,
                 k < q.dim ? q.vectors[row * q.dim + k] : q.words[row * q.n_words + k - q.dim], WIDE);
}

/* A block a part of a row, and in the second kernel of each pair a block a row. */
static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_topk_parts(struct jc_rows rows)
{
    __shared__ struct jc_topk_shared shared;
    jc_rows_rank_part(&shared, &rows, blockIdx.x / rows.n_parts, blockIdx.x % rows.n_parts);
}

static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_topk_merge(struct jc_rows rows)
{
    __shared__ struct jc_topk_shared shared;
    jc_rows_merge(&shared, &rows, blockIdx.x);
}

static __global__ void __launch_bounds__(JC_VOTE_THREADS) run_vote(struct jc_vote_rows rows)
{
    __shared__ struct jc_vote_shared shared;
    jc_vote_block(&shared, &rows, blockIdx.x);
}

static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_rank(struct jc_rank rank)
{
    __shared__ struct jc_rank_shared shared;
    jc_rank_begin(&shared, &rank, blockIdx.x, 0);
    jc_rank_weigh(&shared, &rank, blockIdx.x, 0);
    jc_rank_end(&shared, &rank, blockIdx.x);
}

static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_rank_begin(struct jc_rank rank)
{
    __shared__ struct jc_rank_shared shared;
    jc_rank_begin(&shared, &rank, blockIdx.x / rank.rows.n_parts, blockIdx.x % rank.rows.n_parts);
}

static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_rank_weigh(struct jc_rank rank)
{
    __shared__ struct jc_rank_shared shared;
    jc_rank_weigh(&shared, &rank, blockIdx.x / rank.rows.n_parts, blockIdx.x % rank.rows.n_parts);
}

static __global__ void __launch_bounds__(JC_TOPK_THREADS) run_rank_end(struct jc_rank rank)
{
    __shared__ struct jc_rank_shared shared;
    jc_rank_end(&shared, &rank, blockIdx.x);
}

/* Blocks for n parts of work, no more than keep the device busy. */
static unsigned count_blocks(const struct jc_cuda_launch *launch, unsigned n)
{
    const unsigned most = launch->n_processors * BLOCKS_PER_PROCESSOR;
    return n < most ? n : most;
}

static unsigned count_row_blocks(const struct jc_cuda_launch *launch)
{
    return count_blocks(launch, (launch->rows + ROW_WARPS - 1) / ROW_WARPS);
}

/* KERNEL for how the numbers are stored and for the pairs of a row that a lane has. */
#define LAUNCH_ROWS(KERNEL, launch, n, blocks, args)                                          \
    do {                                                                                      \
        const dim3 grid(blocks), threads(ROW_THREADS);                                        \
        if ((n) <= 6 * 2 * JC_WARP) {                                                         \
            if ((launch)->wide)                                                               \
                KERNEL<1, 6><<<grid, threads, 0, (launch)->stream>>>((launch)->batch, args);  \
            else                                                                              \
                KERNEL<0, 6><<<grid, threads, 0, (launch)->stream>>>((launch)->batch, args);  \
        } else {                                                                              \
            if ((launch)->wide)                                                               \
                KERNEL<1, 16><<<grid, threads, 0, (launch)->stream>>>((launch)->batch, args); \
            else                                                                              \
                KERNEL<0, 16><<<grid, threads, 0, (launch)->stream>>>((launch)->batch, args); \
        }                                                                                     \
    } while (0)

cudaError_t jc_cuda_launch_embed(const struct jc_cuda_launch *launch, const struct jc_cuda_embed *embed)
{
    LAUNCH_ROWS(run_embed, launch, embed->hidden, count_blocks(launch, launch->rows), *embed);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_add(const struct jc_cuda_launch *launch, const struct jc_cuda_add *add)
{
    LAUNCH_ROWS(run_add, launch, add->hidden, count_row_blocks(launch), *add);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_pool(const struct jc_cuda_launch *launch, const struct jc_cuda_pool *pool)
{
    LAUNCH_ROWS(run_pool, launch, pool->hidden, count_row_blocks(launch), *pool);
    return cudaGetLastError();
}

template <int WIDE> static void launch_attend(const struct jc_cuda_launch *launch, const struct jc_cuda_attend *attend)
{
    const unsigned dim = attend->hidden / attend->heads, blocks = count_blocks(launch, launch->rows * attend->heads);
    const size_t memory = JC_ATTEND_SHARED(dim) * sizeof(float);
    if (dim == 32)
        run_attend<WIDE, 32><<<blocks, JC_ATTEND_THREADS, memory, launch->stream>>>(launch->batch, *attend);
    else if (dim == 64)
        run_attend<WIDE, 64><<<blocks, JC_ATTEND_THREADS, memory, launch->stream>>>(launch->batch, *attend);
    else
        run_attend<WIDE, 0><<<blocks, JC_ATTEND_THREADS, memory, launch->stream>>>(launch->batch, *attend);
}

cudaError_t jc_cuda_launch_attend(const struct jc_cuda_launch *launch, const struct jc_cuda_attend *attend)
{
    if (launch->wide)
        launch_attend<1>(launch, attend);
    else
        launch_attend<0>(launch, attend);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_gelu(const struct jc_cuda_launch *launch, const struct jc_cuda_gelu *gelu)
{
    const unsigned blocks = count_blocks(launch, launch->rows);
    if (launch->wide)
        run_gelu<1><<<blocks, COLUMN_THREADS, 0, launch->stream>>>(launch->batch, *gelu);
    else
        run_gelu<0><<<blocks, COLUMN_THREADS, 0, launch->stream>>>(launch->batch, *gelu);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_query(cudaStream_t stream, int wide, const struct jc_cuda_query *query)
{
    if (wide)
        run_query<1><<<query->n, COLUMN_THREADS, 0, stream>>>(*query);
    else
        run_query<0><<<query->n, COLUMN_THREADS, 0, stream>>>(*query);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_topk(cudaStream_t stream, const struct jc_rows *rows)
{
    run_topk_parts<<<rows->n_rows * rows->n_parts, JC_TOPK_THREADS, 0, stream>>>(*rows);
    if (rows->n_parts > 1)
        run_topk_merge<<<rows->n_rows, JC_TOPK_THREADS, 0, stream>>>(*rows);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_vote(cudaStream_t stream, const struct jc_vote_rows *rows)
{
    run_vote<<<rows->n_rows, JC_VOTE_THREADS, 0, stream>>>(*rows);
    return cudaGetLastError();
}

cudaError_t jc_cuda_launch_rank(cudaStream_t stream, const struct jc_rank *rank)
{
    const unsigned n_rows = rank->rows.n_rows, n_parts = n_rows * rank->rows.n_parts;
    if (rank->rows.n_parts == 1) {
        run_rank<<<n_rows, JC_TOPK_THREADS, 0, stream>>>(*rank);
    } else {
        run_rank_begin<<<n_parts, JC_TOPK_THREADS, 0, stream>>>(*rank);
        run_rank_weigh<<<n_parts, JC_TOPK_THREADS, 0, stream>>>(*rank);
        run_rank_end<<<n_rows, JC_TOPK_THREADS, 0, stream>>>(*rank);
    }
    return cudaGetLastError();
}
