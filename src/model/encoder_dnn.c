/*
 * The BERT encoder of the CPU: a published model.safetensors run by oneDNN. Beside the file stand encoder.json (its
 * shape and the precision) and, for 8 bits, calibration.safetensors. A call takes one of the scratches that lie ready
 * and puts it back; there come to be as many as ever ran at once.
 */
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "artifact/bert_file.h"
#include "artifact/safetensors.h"
#include "base/file.h"
#include "base/sha256.h"
#include "dnn/dnn.h"
#include "model/encoder_impl.h"

#define CALIBRATION_FILE "calibration.safetensors"

enum { MAX_IDLE = 256 }; /* scratches kept; one a core is what there is */

struct dnn_encoder {
    struct jc_encoder base;
    struct jc_safetensors *weights; /* the encoder uses their memory */
    struct jc_dnn_encoder *dnn;
    char sha256[JC_SHA256_HEX];
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
    jc_safetensors_destroy(self->weights);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

/* The path of a file in the folder that `path` is in. */
static jc_code find_sibling(const char *path, const char *name, char ret_path[PATH_MAX], struct jc_err *err)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    if (!slash)
        return jc_path_join(ret_path, PATH_MAX, ".", name, err);
    int n = snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (n < 0 || (size_t)n >= sizeof folder)
        return jc_fail(err, JC_E_TOO_LARGE, "path '%s' is too long", path);
    return jc_path_join(ret_path, PATH_MAX, folder, name, err);
}

static jc_code create(const char *path, const struct jc_bert *bert, enum jc_precision precision,
                      struct dnn_encoder *self, struct jc_err *err)
{
    char calibration_path[PATH_MAX];
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    const float *calibration = NULL;
    const size_t shape[] = {2, jc_dnn_calibration_size(bert) / 2};
    jc_code code;
    if (precision == JC_PRECISION_INT8 &&
        ((code = find_sibling(path, CALIBRATION_FILE, calibration_path, err)) ||
         (code = jc_safetensors_open(calibration_path, &file, err)) ||
         (code = jc_safetensors_get_f32(file, "calibration", 2, shape, &calibration, err))))
        return code;
    size_t n_tensors;
    const struct jc_tensor *tensors = jc_safetensors_tensors(self->weights, &n_tensors);
    return jc_dnn_encoder_create(bert, tensors, n_tensors, precision, calibration, &self->dnn, err);
}

static jc_code load(const char *path, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    if (!path)
        return jc_fail(err, JC_E_INVALID, "an encoder of kind '" JC_ENCODER_SAFETENSORS "' needs a file");
    struct dnn_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    pthread_mutex_init(&self->mutex, NULL);
    self->base.class = &jc_encoder_dnn_class;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = &self->base;

    char config_path[PATH_MAX];
    struct jc_bert bert;
    enum jc_precision precision;
    jc_code code;
    if ((code = find_sibling(path, JC_BERT_FILE, config_path, err)) ||
        (code = jc_bert_file_read(config_path, &bert, &precision, err)) ||
        (code = jc_sha256_file(path, self->sha256, err)) || (code = jc_safetensors_open(path, &self->weights, err)) ||
        (code = create(path, &bert, precision, self, err)))
        return jc_wrap(err, "encoder '%s'", path);
    self->base.info = (struct jc_encoder_info){.kind = JC_ENCODER_SAFETENSORS,
                                               .source_sha256 = self->sha256,
                                               .dim = bert.hidden,
                                               .vocab = bert.vocab,
                                               .max_tokens = bert.max_tokens};
    *ret_encoder = TAKE(encoder);
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_dnn_class = {
    .kind = JC_ENCODER_SAFETENSORS, .load = load, .encode = encode, .destroy = destroy};
