/* From a model's kind and the configuration to what runs it. See encoder.h. */
#include "model/encoder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "artifact/safetensors.h"
#include "base/buf.h"
#include "cuda/cuda.h"
#include "dnn/gemm.h"
#include "model/encoder_impl.h"

enum { INT8_SCHEME = 1 }; /* changes when src/dnn rounds another way, so that kept vectors are made again */

static const struct jc_encoder_class *const backends[] = {
    [JC_BACKEND_ONEDNN] = &jc_encoder_dnn_class,
    [JC_BACKEND_TORCH] = &jc_encoder_torch_class,
    [JC_BACKEND_CUDA] = &jc_encoder_cuda_class,
};
static const char *const precisions[] = {
    [JC_PRECISION_F32] = "f32", [JC_PRECISION_INT8] = "int8", [JC_PRECISION_F16] = "f16"};

jc_code jc_encoder_device_parse(const char *text, int *ret_device, struct jc_err *err)
{
    static const char cuda[] = "cuda:";
    if (strcmp(text, "auto") == 0)
        return *ret_device = JC_DEVICE_AUTO, JC_OK;
    if (strcmp(text, "cpu") == 0)
        return *ret_device = JC_DEVICE_CPU, JC_OK;
    const size_t n = strlen(text), n_cuda = sizeof cuda - 1;
    if (n <= n_cuda || n > n_cuda + 3 || strncmp(text, cuda, n_cuda) != 0 ||
        strspn(text + n_cuda, "0123456789") != n - n_cuda)
        return jc_fail(err, JC_E_INVALID, "'%s' is no device: " JC_DEVICE_FORMS, text);
    *ret_device = 1 + (int)strtol(text + n_cuda, NULL, 10);
    return JC_OK;
}

/* From what was asked for to what runs: the backend and, for `cuda`, the GPU. */
static jc_code settle_device(struct jc_encoder_options *options, struct jc_err *err)
{
    const bool is_native = options->backend != JC_BACKEND_TORCH, is_int8 = options->precision == JC_PRECISION_INT8;
    if (options->device > 0) {
        if (!is_native || is_int8)
            return jc_fail(err, JC_E_UNSUPPORTED,
                           "encoder.device cuda:%d needs encoder.backend onednn or cuda, and encoder.precision f32 or "
                           "f16",
                           options->device - 1);
        options->backend = JC_BACKEND_CUDA;
    } else if (options->device == JC_DEVICE_AUTO && is_native && !is_int8 && jc_cuda_count() > 0) {
        options->backend = JC_BACKEND_CUDA;
    } else if (options->device == JC_DEVICE_CPU && options->backend == JC_BACKEND_CUDA) {
        return jc_fail(err, JC_E_UNSUPPORTED, "encoder.backend cuda does not run on encoder.device cpu");
    }
    if (options->backend == JC_BACKEND_CUDA && options->device < 1)
        options->device = 1;
    if (is_int8 && options->backend != JC_BACKEND_ONEDNN)
        return jc_fail(err, JC_E_UNSUPPORTED, "encoder.precision int8 needs encoder.backend onednn");
    if (options->precision == JC_PRECISION_F16 && options->backend != JC_BACKEND_CUDA)
        return jc_fail(err, JC_E_UNSUPPORTED, "encoder.precision f16 needs a GPU (encoder.backend cuda)");
    return JC_OK;
}

bool jc_encoder_shares_device(const struct jc_encoder_options *options)
{
    struct jc_err err;
    struct jc_encoder_options settled = *options;
    return settle_device(&settled, &err) == JC_OK && settled.backend == JC_BACKEND_CUDA;
}

static jc_code describe_device(const struct jc_encoder_options *options, struct jc_encoder_info *info,
                               struct jc_err *err)
{
    struct jc_cuda_device device;
    if (options->backend != JC_BACKEND_CUDA) {
        snprintf(info->device, sizeof info->device, "cpu");
        return JC_OK;
    }
    jc_code code = jc_cuda_device_get(options->device - 1, &device, err);
    if (!code)
        snprintf(info->device, sizeof info->device, "cuda:%d (%s)", device.index, device.name);
    return code;
}

static jc_code choose_class(const struct jc_encoder_source *source, struct jc_encoder_options *options,
                            const struct jc_encoder_class **ret_class, struct jc_err *err)
{
    if (strcmp(source->kind, JC_ENCODER_FAKE) == 0) {
        *options = (struct jc_encoder_options){0}; /* it has neither precisions nor devices */
        *ret_class = &jc_encoder_fake_class;
        return JC_OK;
    }
    if (strcmp(source->kind, JC_ENCODER_BERT) != 0)
        return jc_fail(err, JC_E_UNSUPPORTED,
                       "encoder kind '%s' is unknown: '" JC_ENCODER_BERT "' or '" JC_ENCODER_FAKE "'", source->kind);
    jc_code code = settle_device(options, err);
    if (!code)
        *ret_class = backends[options->backend];
    return code;
}

/* What two encoders that give the same vectors have in common. */
static jc_code identify(const struct jc_encoder_source *source, enum jc_precision precision,
                        struct jc_encoder_info *info, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_buf_puts(&text, source->kind);
    if (source->bert)
        jc_buf_printf(&text, " %s %zu %.17g %d", source->bert->source_sha256, source->bert->heads,
                      source->bert->layer_norm_eps, (int)source->bert->pooling);
    if (precision == JC_PRECISION_INT8) {
        jc_buf_printf(&text, " int8 %d %d ", INT8_SCHEME, (int)jc_dnn_has_vnni()); /* rounds another way without */
        jc_buf_put(&text, (const char *)source->calibration, source->n_calibration * sizeof *source->calibration);
    }
    if (precision == JC_PRECISION_F16)
        jc_buf_puts(&text, " f16");
    jc_code code = jc_buf_check(&text, err);
    if (!code)
        jc_sha256_hex(text.data, text.n, info->vectors_sha256);
    return code;
}

static jc_code create(const struct jc_encoder_class *class, const struct jc_encoder_source *source,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL;
    const struct jc_tensor *tensors = NULL;
    size_t n_tensors = 0;
    if (source->bert) {
        jc_code code = jc_safetensors_open(source->weights, &weights, err);
        if (code)
            return code;
        tensors = jc_safetensors_tensors(weights, &n_tensors);
    }
    jc_code code = class->create(source, tensors, n_tensors, options, ret_encoder, err);
    return code && source->bert ? jc_wrap(err, "encoder '%s'", source->weights) : code;
}

jc_code jc_encoder_load(const struct jc_encoder_source *source, const struct jc_encoder_options *options,
                        struct jc_encoder **ret_encoder, struct jc_err *err)
{
    struct jc_encoder_options settled = options ? *options : (struct jc_encoder_options){0};
    const struct jc_encoder_class *class = NULL;
    jc_code code = choose_class(source, &settled, &class, err);
    if (code)
        return code;
    struct jc_encoder_source used = *source;
    if (class == &jc_encoder_fake_class) /* has no weights */
        used.bert = NULL;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    if ((code = create(class, &used, &settled, &encoder, err)))
        return code;
    struct jc_encoder_info *info = &encoder->info;
    encoder->class = class;
    info->kind = used.bert ? JC_ENCODER_BERT : JC_ENCODER_FAKE;
    info->backend = class->name;
    info->precision = precisions[settled.precision];
    if (used.bert) {
        snprintf(info->source_sha256, sizeof info->source_sha256, "%s", used.bert->source_sha256);
        info->dim = used.bert->hidden;
        info->vocab = used.bert->vocab;
        info->max_tokens = used.bert->max_tokens;
    }
    if ((code = describe_device(&settled, info, err)) || (code = identify(&used, settled.precision, info, err)))
        return code;
    *ret_encoder = TAKE(encoder);
    return JC_OK;
}

void jc_encoder_destroy(struct jc_encoder *encoder)
{
    if (encoder)
        encoder->class->destroy(encoder);
}

const struct jc_encoder_info *jc_encoder_info(const struct jc_encoder *encoder)
{
    return &encoder->info;
}

jc_code jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                          size_t n_texts, float *ret_vectors, struct jc_err *err)
{
    if (n_texts == 0)
        return JC_OK;
    return encoder->class->encode(encoder, ids, n_tokens, n_texts, ret_vectors, err);
}

jc_code jc_encoder_each_lane(struct jc_encoder *encoder, jc_code (*run)(void *context, struct jc_err *err),
                             void *context, struct jc_err *err)
{
    return encoder->class->each_lane ? encoder->class->each_lane(encoder, run, context, err) : JC_OK;
}

jc_code jc_encoder_calibrate(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                             size_t n_texts, float **ret_calibration, size_t *ret_n, struct jc_err *err)
{
    if (!encoder->class->calibrate)
        return jc_fail(err, JC_E_UNSUPPORTED, "encoder.backend %s has no calibration", encoder->info.backend);
    return encoder->class->calibrate(encoder, ids, n_tokens, n_texts, ret_calibration, ret_n, err);
}
