/* Products of fixed shapes over oneDNN primitives. See gemm.h. */
#include "dnn/gemm.h"

#include <stdint.h>
#include <string.h>

#include "dnn/guard.h"

/* oneDNN of Debian is built over OpenMP. Declared here: clang has no <omp.h> of libgomp's. */
extern void omp_set_num_threads(int n_threads);

/* Row counts with a kernel of their own: each up to 16, then every fourth. */
enum { SINGLE = 16, STEP = 4, N_BUCKETS = SINGLE + (JC_DNN_CHUNK - SINGLE) / STEP };

struct gemm {
    enum jc_precision precision;
    dnnl_dim_t n_in, n_out;
    dnnl_primitive_desc_t descs[N_BUCKETS];
    dnnl_primitive_t primitives[N_BUCKETS];
    dnnl_memory_desc_t packed; /* of the weights: one layout for all row counts */
};

struct jc_dnn_gemms {
    dnnl_engine_t engine; /* primitives, memory and streams that work together have the same */
    size_t n_gemms;
    struct gemm gemms[];
};

struct jc_dnn_matrix {
    dnnl_memory_t memory;
};

struct slot {
    dnnl_memory_t a, c, scratch;
};

struct jc_dnn_queue {
    const struct jc_dnn_gemms *gemms;
    dnnl_stream_t stream;
    void *scratch;
    size_t n_slots;
    struct slot slots[]; /* [n_gemms][N_BUCKETS] */
};

static jc_code check(dnnl_status_t status, const char *what, struct jc_err *err)
{
    switch (status) {
    case dnnl_success:
        return JC_OK;
    case dnnl_out_of_memory:
        return jc_fail(err, JC_E_NOMEM, "oneDNN: %s: out of memory", what);
    case dnnl_unimplemented:
        return jc_fail(err, JC_E_UNSUPPORTED, "oneDNN: %s is not implemented on this machine", what);
    default:
        return jc_fail(err, JC_E_INTERNAL, "oneDNN: %s: status %d", what, (int)status);
    }
}

void jc_dnn_single_thread(void)
{
    static _Thread_local bool done;
    if (!done)
        omp_set_num_threads(1); /* of the calling thread: OpenMP keeps the number for each */
    done = true;
}

bool jc_dnn_has_vnni(void)
{
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), avx512 = dnnl_cpu_isa_avx512_core_vnni,
                   avx2 = dnnl_cpu_isa_avx2_vnni;
    return (isa & avx512) == avx512 || (isa & avx2) == avx2;
}

void jc_dnn_version(char ret_version[32])
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(ret_version, 32, "%d.%d.%d", version->major, version->minor, version->patch);
}

static size_t find_bucket(size_t rows)
{
    return rows <= SINGLE ? rows - 1 : SINGLE - 1 + (rows - SINGLE + STEP - 1) / STEP;
}

static size_t bucket_rows(size_t bucket)
{
    return bucket < SINGLE ? bucket + 1 : SINGLE + (bucket - SINGLE + 1) * STEP;
}

size_t jc_dnn_gemms_rows(size_t rows)
{
    return bucket_rows(find_bucket(rows));
}

static dnnl_data_type_t in_type(const struct gemm *gemm)
{
    return gemm->precision == JC_PRECISION_INT8 ? dnnl_u8 : dnnl_f32;
}

static dnnl_data_type_t weight_type(const struct gemm *gemm)
{
    return gemm->precision == JC_PRECISION_INT8 ? dnnl_s8 : dnnl_f32;
}

static dnnl_data_type_t out_type(const struct gemm *gemm)
{
    return gemm->precision == JC_PRECISION_INT8 ? dnnl_s32 : dnnl_f32;
}

static dnnl_status_t init_md(dnnl_memory_desc_t *md, dnnl_dim_t rows, dnnl_dim_t columns, dnnl_data_type_t type,
                             dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_init_by_tag(md, 2, dims, type, tag);
}

/* The first bucket made chooses the weights' layout; the others have to take it. */
static dnnl_status_t make_primitive(dnnl_engine_t engine, struct gemm *gemm, size_t bucket, bool first,
                                    dnnl_primitive_attr_t attr)
{
    dnnl_memory_desc_t a, c;
    dnnl_matmul_desc_t desc;
    const dnnl_dim_t rows = (dnnl_dim_t)bucket_rows(bucket);
    dnnl_status_t status;
    if ((status = init_md(&a, rows, gemm->n_in, in_type(gemm), dnnl_ab)) ||
        (status = init_md(&c, rows, gemm->n_out, out_type(gemm), dnnl_ab)))
        return status;
    if (first && (status = init_md(&gemm->packed, gemm->n_in, gemm->n_out, weight_type(gemm), dnnl_format_tag_any)))
        return status;
    if ((status = dnnl_matmul_desc_init(&desc, &a, &gemm->packed, NULL, &c)) ||
        (status = jc_dnnl_primitive_desc_create(&gemm->descs[bucket], &desc, attr, engine, NULL)))
        return status;
    if (first)
        gemm->packed = *dnnl_primitive_desc_query_md(gemm->descs[bucket], dnnl_query_weights_md, 0);
    return jc_dnnl_primitive_create(&gemm->primitives[bucket], gemm->descs[bucket]);
}

static dnnl_status_t make_primitives(struct jc_dnn_gemms *gemms)
{
    dnnl_primitive_attr_t attr;
    dnnl_status_t status;
    if ((status = jc_dnnl_engine_create(&gemms->engine, dnnl_cpu, 0)) ||
        (status = jc_dnnl_primitive_attr_create(&attr)))
        return status;
    /* The caller's scratch memory is what makes a primitive usable by many threads at once. */
    status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    /* float32 is float32 whatever the environment's ONEDNN_DEFAULT_FPMATH_MODE allows. */
    if (!status)
        status = dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict);
    for (size_t i = 0; i < gemms->n_gemms; i++)
        for (size_t b = N_BUCKETS; b-- > 0 && !status;)
            status = make_primitive(gemms->engine, &gemms->gemms[i], b, b == N_BUCKETS - 1, attr);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

jc_code jc_dnn_gemms_create(const struct jc_dnn_shape *shapes, size_t n_shapes, struct jc_dnn_gemms **ret_gemms,
                            struct jc_err *err)
{
    JC_AUTO(jc_dnn_gemms) struct jc_dnn_gemms *gemms = calloc(1, sizeof(*gemms) + n_shapes * sizeof(*gemms->gemms));
    if (!gemms)
        return jc_fail(err, JC_E_NOMEM, "no memory for matrix products");
    gemms->n_gemms = n_shapes;
    for (size_t i = 0; i < n_shapes; i++) {
        gemms->gemms[i].precision = shapes[i].precision;
        gemms->gemms[i].n_in = (dnnl_dim_t)shapes[i].n_in;
        gemms->gemms[i].n_out = (dnnl_dim_t)shapes[i].n_out;
    }
    jc_dnn_single_thread(); /* the primitives take the number of threads from here */
    jc_code code = check(make_primitives(gemms), "create a matrix product", err);
    if (code)
        return code;
    *ret_gemms = TAKE(gemms);
    return JC_OK;
}

void jc_dnn_gemms_destroy(struct jc_dnn_gemms *gemms)
{
    if (!gemms)
        return;
    for (size_t i = 0; i < gemms->n_gemms; i++) {
        for (size_t b = 0; b < N_BUCKETS; b++) {
            dnnl_primitive_destroy(gemms->gemms[i].primitives[b]);
            dnnl_primitive_desc_destroy(gemms->gemms[i].descs[b]);
        }
    }
    if (gemms->engine)
        dnnl_engine_destroy(gemms->engine);
    free(gemms);
}

static dnnl_status_t pack(dnnl_engine_t engine, const struct gemm *gemm, const void *weights,
                          struct jc_dnn_matrix *matrix)
{
    dnnl_memory_desc_t plain;
    dnnl_memory_t from = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    void *handle = (void *)(uintptr_t)weights; /* only read */
    dnnl_status_t status;
    if ((status = init_md(&plain, gemm->n_in, gemm->n_out, weight_type(gemm), dnnl_ba)) ||
        (status = jc_dnnl_memory_create(&from, &plain, engine, handle)))
        return status;
    if (!(status = jc_dnnl_memory_create(&matrix->memory, &gemm->packed, engine, DNNL_MEMORY_ALLOCATE)) &&
        !(status = jc_dnnl_stream_create(&stream, engine, dnnl_stream_default_flags)) &&
        !(status = jc_dnnl_reorder_primitive_desc_create(&desc, &plain, engine, &gemm->packed, engine, NULL)) &&
        !(status = jc_dnnl_primitive_create(&reorder, desc))) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, matrix->memory}};
        if (!(status = jc_dnnl_primitive_execute(reorder, stream, 2, args)))
            status = jc_dnnl_stream_wait(stream);
    }
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    if (stream)
        dnnl_stream_destroy(stream);
    dnnl_memory_destroy(from);
    return status;
}

jc_code jc_dnn_matrix_create(const struct jc_dnn_gemms *gemms, size_t gemm, const void *weights,
                             struct jc_dnn_matrix **ret_matrix, struct jc_err *err)
{
    JC_AUTO(jc_dnn_matrix) struct jc_dnn_matrix *matrix = calloc(1, sizeof(*matrix));
    if (!matrix)
        return jc_fail(err, JC_E_NOMEM, "no memory for a matrix");
    jc_dnn_single_thread();
    jc_code code = check(pack(gemms->engine, &gemms->gemms[gemm], weights, matrix), "pack weights", err);
    if (code)
        return code;
    *ret_matrix = TAKE(matrix);
    return JC_OK;
}

void jc_dnn_matrix_destroy(struct jc_dnn_matrix *matrix)
{
    if (!matrix)
        return;
    dnnl_memory_destroy(matrix->memory);
    free(matrix);
}

static const dnnl_memory_desc_t *query_scratch(const struct gemm *gemm, size_t bucket)
{
    return dnnl_primitive_desc_query_md(gemm->descs[bucket], dnnl_query_scratchpad_md, 0);
}

static dnnl_status_t make_slot(dnnl_engine_t engine, const struct gemm *gemm, size_t bucket, void *scratch,
                               struct slot *slot)
{
    dnnl_memory_desc_t a, c;
    const dnnl_dim_t rows = (dnnl_dim_t)bucket_rows(bucket);
    dnnl_status_t status;
    if ((status = init_md(&a, rows, gemm->n_in, in_type(gemm), dnnl_ab)) ||
        (status = init_md(&c, rows, gemm->n_out, out_type(gemm), dnnl_ab)) ||
        (status = jc_dnnl_memory_create(&slot->a, &a, engine, DNNL_MEMORY_NONE)) ||
        (status = jc_dnnl_memory_create(&slot->c, &c, engine, DNNL_MEMORY_NONE)))
        return status;
    return jc_dnnl_memory_create(&slot->scratch, query_scratch(gemm, bucket), engine, scratch);
}

static dnnl_status_t make_slots(struct jc_dnn_queue *queue)
{
    dnnl_status_t status = jc_dnnl_stream_create(&queue->stream, queue->gemms->engine, dnnl_stream_default_flags);
    for (size_t i = 0; i < queue->n_slots && !status; i++)
        status = make_slot(queue->gemms->engine, &queue->gemms->gemms[i / N_BUCKETS], i % N_BUCKETS, queue->scratch,
                           &queue->slots[i]);
    return status;
}

jc_code jc_dnn_queue_create(const struct jc_dnn_gemms *gemms, struct jc_dnn_queue **ret_queue, struct jc_err *err)
{
    const size_t n_slots = gemms->n_gemms * N_BUCKETS;
    JC_AUTO(jc_dnn_queue) struct jc_dnn_queue *queue = calloc(1, sizeof(*queue) + n_slots * sizeof(*queue->slots));
    if (!queue)
        return jc_fail(err, JC_E_NOMEM, "no memory for a queue of products");
    queue->gemms = gemms;
    queue->n_slots = n_slots;
    size_t n_scratch = 64;
    for (size_t i = 0; i < n_slots; i++) {
        size_t n = dnnl_memory_desc_get_size(query_scratch(&gemms->gemms[i / N_BUCKETS], i % N_BUCKETS));
        n_scratch = n > n_scratch ? n : n_scratch;
    }
    queue->scratch = aligned_alloc(64, (n_scratch + 63) / 64 * 64);
    if (!queue->scratch)
        return jc_fail(err, JC_E_NOMEM, "no memory for a queue of products");
    jc_code code = check(make_slots(queue), "create memory objects", err);
    if (code)
        return code;
    *ret_queue = TAKE(queue);
    return JC_OK;
}

void jc_dnn_queue_destroy(struct jc_dnn_queue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->n_slots; i++) {
        dnnl_memory_destroy(queue->slots[i].a);
        dnnl_memory_destroy(queue->slots[i].c);
        dnnl_memory_destroy(queue->slots[i].scratch);
    }
    if (queue->stream)
        dnnl_stream_destroy(queue->stream);
    free(queue->scratch);
    free(queue);
}

jc_code jc_dnn_queue_run(struct jc_dnn_queue *queue, size_t gemm, const struct jc_dnn_matrix *matrix, const void *a,
                         size_t rows, void *c, struct jc_err *err)
{
    const size_t bucket = find_bucket(rows);
    const struct slot *slot = &queue->slots[gemm * N_BUCKETS + bucket];
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, slot->a},
                                    {DNNL_ARG_WEIGHTS, matrix->memory},
                                    {DNNL_ARG_DST, slot->c},
                                    {DNNL_ARG_SCRATCHPAD, slot->scratch}};
    dnnl_status_t status;
    if ((status = jc_dnnl_memory_set_data_handle(slot->a, (void *)(uintptr_t)a)) ||
        (status = jc_dnnl_memory_set_data_handle(slot->c, c)) ||
        (status = jc_dnnl_primitive_execute(queue->gemms->gemms[gemm].primitives[bucket], queue->stream, 4, args)))
        return check(status, "run a matrix product", err);
    return check(jc_dnnl_stream_wait(queue->stream), "wait for a matrix product", err);
}
