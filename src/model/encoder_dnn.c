/*
 * The bert encoder of the CPU, run by oneDNN. A call takes one of the scratches that lie ready and puts it back; there
 * come to be as many as ever ran at once.
 */
#include <pthread.h>

#include "dnn/dnn.h"
#include "model/encoder_impl.h"

enum { MAX_IDLE = 256 }; /* scratches kept; one a core is what there is */

struct dnn_encoder {
    struct jc_encoder base;
    struct jc_dnn_encoder *dnn;
    pthread_mutex_t mutex; /* of what follows */
    size_t n_idle;
    struct jc_dnn_scratch *idle[MAX_IDLE];
};

/* The encoder is immutable but for its scratches. */
static struct dnn_encoder *unconst(const struct jc_encoder *encoder)
{
    return (struct dnn_encoder *)(uintptr_t)encoder;
}

static jc_code take_scratch(struct dnn_encoder *self, struct jc_dnn_scratch **ret_scratch, struct jc_err *err)
{
    struct jc_dnn_scratch *scratch = NULL;
    pthread_mutex_lock(&self->mutex);
    if (self->n_idle)
        scratch = self->idle[--self->n_idle];
    pthread_mutex_unlock(&self->mutex);
    if (!scratch)
        return jc_dnn_scratch_create(self->dnn, ret_scratch, err);
    *ret_scratch = scratch;
    return JC_OK;
}

static void put_scratch(struct dnn_encoder *self, struct jc_dnn_scratch *scratch)
{
    pthread_mutex_lock(&self->mutex);
    if (self->n_idle < MAX_IDLE)
        self->idle[self->n_idle++] = TAKE(scratch);
    pthread_mutex_unlock(&self->mutex);
    jc_dnn_scratch_destroy(scratch);
}

static jc_code encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    struct dnn_encoder *self = unconst(encoder);
    struct jc_dnn_scratch *scratch;
    jc_code code = take_scratch(self, &scratch, err);
    if (code)
        return code;
    code = jc_dnn_encoder_encode(self->dnn, scratch, ids, n_tokens, n_texts, ret_vectors, err);
    put_scratch(self, scratch);
    return code;
}

static void destroy(struct jc_encoder *encoder)
{
    struct dnn_encoder *self = (struct dnn_encoder *)encoder;
    for (size_t i = 0; i < self->n_idle; i++)
        jc_dnn_scratch_destroy(self->idle[i]);
    jc_dnn_encoder_destroy(self->dnn);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static jc_code calibrate(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                         float **ret_calibration, size_t *ret_n, struct jc_err *err)
{
    struct dnn_encoder *self = unconst(encoder);
    const size_t n = jc_bert_calibration_size(jc_dnn_encoder_bert(self->dnn));
    struct jc_dnn_scratch *scratch;
    JC_AUTO_FREE float *calibration = calloc(n, sizeof *calibration);
    if (!calibration)
        return jc_fail(err, JC_E_NOMEM, "no memory for a calibration");
    jc_code code = take_scratch(self, &scratch, err);
    if (code)
        return code;
    code = jc_dnn_encoder_calibrate(self->dnn, scratch, ids, n_tokens, n_texts, calibration, err);
    put_scratch(self, scratch);
    if (code)
        return code;
    *ret_calibration = TAKE(calibration);
    *ret_n = n;
    return JC_OK;
}

static jc_code check_calibration(const struct jc_encoder_source *source, enum jc_precision precision,
                                 struct jc_err *err)
{
    const size_t n = jc_bert_calibration_size(source->bert);
    if (precision == JC_PRECISION_F32)
        return JC_OK;
    if (!source->calibration)
        return jc_fail(err, JC_E_INVALID, "int8 needs a calibration, and the model has none");
    if (source->n_calibration != n)
        return jc_fail(err, JC_E_INVALID, "a calibration of %zu values; this encoder's has %zu", source->n_calibration,
                       n);
    return JC_OK;
}

static jc_code create(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    const enum jc_precision precision = options->precision;
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *dnn = NULL;
    jc_code code = jc_bert_check(source->bert, err); /* before its sizes are multiplied */
    if (code || (code = check_calibration(source, precision, err)) ||
        (code = jc_dnn_encoder_create(source->bert, tensors, n_tensors, precision, source->calibration, &dnn, err)))
        return code;
    struct dnn_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    pthread_mutex_init(&self->mutex, NULL);
    self->dnn = TAKE(dnn);
    self->base.class = &jc_encoder_dnn_class;
    *ret_encoder = &self->base;
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_dnn_class = {
    .name = "onednn", .create = create, .encode = encode, .calibrate = calibrate, .destroy = destroy};
