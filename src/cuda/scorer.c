/* A head on the device: made of the host's once, and read by all lanes. See cuda.h; rank.c runs it. */
#include "cuda/encoder_impl.h"
#include "cuda/place.h"

enum { PIECE = 1 << 18 }; /* numbers that are converted and copied at once */

/* The arrays of a block, in their order. */
enum array { MATRIX, BIAS, EXEMPLARS, CODE_BEGINS, CODES, CODE_WEIGHTS, ARRAYS };

static jc_code check(const struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                     struct jc_err *err)
{
    if (source->dim != encoder->weights.bert.hidden)
        return jc_fail(err, JC_E_INVALID, "categories of %zu dimensions, an encoder of %zu", source->dim,
                       encoder->weights.bert.hidden);
    if (source->exemplars.n == 0)
        return JC_OK;
    if (source->exemplars.n > INT32_MAX || source->exemplars.code_begins[source->exemplars.n] > UINT32_MAX)
        return jc_fail(err, JC_E_INVALID, "%zu exemplars with %zu codes are too many", source->exemplars.n,
                       source->exemplars.code_begins[source->exemplars.n]);
    if (source->exemplars.k < 1 || source->exemplars.k > JC_CUDA_MAX_HITS)
        return jc_fail(err, JC_E_INVALID, "%zu exemplars vote; 1 to %d are possible", source->exemplars.k,
                       JC_CUDA_MAX_HITS);
    return JC_OK;
}

/* Sizes, widths and the calibration: all but the block. */
static void describe(struct jc_cuda_scorer *scorer, const struct jc_cuda_encoder *encoder,
                     const struct jc_cuda_scorer_source *source)
{
    scorer->n_categories = source->n_categories;
    scorer->dim = source->dim;
    scorer->n_words = source->n_words;
    /* Halves need rows of a multiple of 8 for the tensor cores; other widths are float32, whose product is small. */
    scorer->wide = encoder->weights.wide || (source->dim + source->n_words) % 8;
    scorer->sharpness = source->sharpness;
    scorer->saturation = source->saturation;
    scorer->power = source->power;
    if (source->exemplars.n == 0)
        return;
    scorer->n_exemplars = source->exemplars.n;
    scorer->n_neighbours = source->exemplars.k < source->exemplars.n ? source->exemplars.k : source->exemplars.n;
    scorer->vote_sharpness = source->exemplars.sharpness;
    scorer->vote_weight = source->exemplars.weight;
}

static jc_code allocate(struct jc_cuda_scorer *scorer, size_t n_codes, struct jc_err *err)
{
    const size_t stored = JC_STORED_SIZE(scorer->wide), n_begins = scorer->n_exemplars ? scorer->n_exemplars + 1 : 0,
                 sizes[ARRAYS] = {[MATRIX] = scorer->n_categories * (scorer->dim + scorer->n_words) * stored,
                                  [BIAS] = scorer->n_categories * sizeof *scorer->bias,
                                  [EXEMPLARS] = scorer->n_exemplars * scorer->dim * stored,
                                  [CODE_BEGINS] = n_begins * sizeof *scorer->code_begins,
                                  [CODES] = n_codes * sizeof *scorer->codes,
                                  [CODE_WEIGHTS] = n_codes * sizeof *scorer->code_weights};
    uintptr_t ats[ARRAYS], n_bytes = 0;
    for (size_t i = 0; i < ARRAYS; i++)
        ats[i] = jc_cuda_place(&n_bytes, sizes[i]);
    jc_code code = jc_cuda_buffer_create(JC_CUDA_DEVICE, n_bytes, &scorer->block, err);
    if (code)
        return code;
    char *base = jc_cuda_buffer_data(scorer->block);
    scorer->matrix = base + ats[MATRIX];
    scorer->bias = (float *)(void *)(base + ats[BIAS]);
    scorer->exemplars = base + ats[EXEMPLARS];
    scorer->code_begins = (uint32_t *)(void *)(base + ats[CODE_BEGINS]);
    scorer->codes = (uint32_t *)(void *)(base + ats[CODES]);
    scorer->code_weights = (float *)(void *)(base + ats[CODE_WEIGHTS]);
    return JC_OK;
}

/* A whole second copy of the exemplars need not fit into the host's memory. */
static jc_code copy_numbers(void *to, const float *from, size_t n, int wide, void *piece, struct jc_err *err)
{
    jc_code code = JC_OK;
    for (size_t at = 0, n_piece; at < n && !code; at += n_piece) {
        n_piece = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < n_piece; i++)
            jc_store(piece, i, from[at + i], wide);
        code = jc_cuda_copy_in((char *)to + at * JC_STORED_SIZE(wide), piece, n_piece * JC_STORED_SIZE(wide), err);
    }
    return code;
}

static jc_code copy_begins(uint32_t *to, const size_t *from, size_t n, uint32_t *piece, struct jc_err *err)
{
    jc_code code = JC_OK;
    for (size_t at = 0, n_piece; at < n && !code; at += n_piece) {
        n_piece = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < n_piece; i++)
            piece[i] = (uint32_t)from[at + i];
        code = jc_cuda_copy_in(to + at, piece, n_piece * sizeof *piece, err);
    }
    return code;
}

static jc_code copy(struct jc_cuda_scorer *scorer, const struct jc_cuda_scorer_source *source, size_t n_codes,
                    struct jc_err *err)
{
    JC_AUTO_FREE uint32_t *piece = calloc(PIECE, sizeof *piece);
    if (!piece)
        return jc_fail(err, JC_E_NOMEM, "no memory to convert a scorer");
    const size_t width = source->dim + source->n_words, n = scorer->n_exemplars;
    jc_code code;
    if ((code = copy_numbers(scorer->matrix, source->matrix, source->n_categories * width, scorer->wide, piece, err)) ||
        (code = jc_cuda_copy_in(scorer->bias, source->bias, source->n_categories * sizeof *source->bias, err)) ||
        n == 0)
        return code;
    if ((code =
             copy_numbers(scorer->exemplars, source->exemplars.vectors, n * source->dim, scorer->wide, piece, err)) ||
        (code = copy_begins(scorer->code_begins, source->exemplars.code_begins, n + 1, piece, err)) ||
        (code = jc_cuda_copy_in(scorer->codes, source->exemplars.codes, n_codes * sizeof *scorer->codes, err)))
        return code;
    return jc_cuda_copy_in(scorer->code_weights, source->exemplars.code_weights, n_codes * sizeof *scorer->code_weights,
                           err);
}

jc_code jc_cuda_scorer_create(struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                              struct jc_cuda_scorer **ret_scorer, struct jc_err *err)
{
    jc_code code = check(encoder, source, err);
    if (code)
        return code;
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = calloc(1, sizeof(*scorer));
    if (!scorer)
        return jc_fail(err, JC_E_NOMEM, "no memory for a scorer");
    const size_t n_codes = source->exemplars.n ? source->exemplars.code_begins[source->exemplars.n] : 0;
    describe(scorer, encoder, source);
    if ((code = jc_cuda_use(encoder->device.index, err)) || (code = allocate(scorer, n_codes, err)) ||
        (code = copy(scorer, source, n_codes, err)))
        return code;
    *ret_scorer = TAKE(scorer);
    return JC_OK;
}

void jc_cuda_scorer_destroy(struct jc_cuda_scorer *scorer)
{
    if (!scorer)
        return;
    jc_cuda_buffer_destroy(scorer->block);
    free(scorer);
}
