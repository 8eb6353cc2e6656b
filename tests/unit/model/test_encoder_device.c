/* Where an encoder is to run: how devices are written, what goes with which backend and precision, and what a machine
 * without a GPU, or a build without CUDA, answers. */
#include <stdbool.h>

#include "check.h"
#include "cuda/cuda.h"
#include "model/encoder.h"

static struct jc_err err;

static void check_forms(void)
{
    static const struct {
        const char *text;
        int device;
    } good[] = {{"auto", JC_DEVICE_AUTO}, {"cpu", JC_DEVICE_CPU}, {"cuda:0", 1}, {"cuda:7", 8}, {"cuda:12", 13}};
    static const char *const bad[] = {"", "gpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "cuda:1000", "CPU"};
    for (size_t i = 0; i < JC_COUNT(good); i++) {
        int device = 99;
        REQUIRE_OK(jc_encoder_device_parse(good[i].text, &device, &err));
        CHECK_INT(device, good[i].device);
    }
    for (size_t i = 0; i < JC_COUNT(bad); i++) {
        int device;
        CHECK_FAILS(jc_encoder_device_parse(bad[i], &device, &err), JC_E_INVALID, "is no device: auto, cpu or cuda:N");
    }
}

static jc_code load(const char *kind, struct jc_encoder_options options, struct jc_encoder **ret_encoder)
{
    static const struct jc_bert bert = {.hidden = 8,
                                        .layers = 1,
                                        .heads = 1,
                                        .intermediate = 8,
                                        .vocab = 9,
                                        .positions = 8,
                                        .types = 1,
                                        .layer_norm_eps = 1e-12,
                                        .max_tokens = 8};
    const struct jc_encoder_source source = {.kind = kind, .bert = &bert, .weights = "/nonexistent/model.safetensors"};
    return jc_encoder_load(&source, &options, ret_encoder, &err);
}

/* Refused before a file is opened. */
static void check_refusals(void)
{
    struct jc_encoder *encoder = NULL;
    const struct jc_encoder_options half = {.precision = JC_PRECISION_F16, .device = JC_DEVICE_CPU},
                                    bytes = {.precision = JC_PRECISION_INT8, .device = 1},
                                    bytes_cuda = {.backend = JC_BACKEND_CUDA, .precision = JC_PRECISION_INT8},
                                    torch = {.backend = JC_BACKEND_TORCH, .device = 1},
                                    on_cpu = {.backend = JC_BACKEND_CUDA, .device = JC_DEVICE_CPU};
    CHECK_FAILS(load("bert", half, &encoder), JC_E_UNSUPPORTED, "encoder.precision f16 needs a GPU");
    CHECK_FAILS(load("bert", bytes, &encoder), JC_E_UNSUPPORTED, "encoder.device cuda:0 needs encoder.backend onednn");
    CHECK_FAILS(load("bert", bytes_cuda, &encoder), JC_E_UNSUPPORTED, "int8 needs encoder.backend onednn");
    CHECK_FAILS(load("bert", torch, &encoder), JC_E_UNSUPPORTED, "encoder.device cuda:0 needs encoder.backend onednn");
    CHECK_FAILS(load("bert", on_cpu, &encoder), JC_E_UNSUPPORTED, "does not run on encoder.device cpu");
    CHECK(encoder == NULL);
}

/* The fake runs wherever it is told to, on the CPU. */
static void check_fake(void)
{
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(load("fake", (struct jc_encoder_options){.precision = JC_PRECISION_F16, .device = 1}, &encoder));
    CHECK_STR(jc_encoder_info(encoder)->device, "cpu");
    CHECK_STR(jc_encoder_info(encoder)->precision, "f32");
}

/* A GPU that is named is shared, whether it is there or not; `auto` is one where there is one. */
static void check_sharing(void)
{
    const bool has_gpu = jc_cuda_count() > 0;
    const struct {
        struct jc_encoder_options options;
        bool shares;
    } rows[] = {{{.device = 1}, true},
                {{.device = 1, .precision = JC_PRECISION_F16}, true},
                {{.backend = JC_BACKEND_CUDA}, true},
                {{.backend = JC_BACKEND_CUDA, .device = JC_DEVICE_AUTO}, true},
                {{.device = JC_DEVICE_AUTO}, has_gpu},
                {{.device = JC_DEVICE_AUTO, .precision = JC_PRECISION_INT8}, false},
                {{.device = JC_DEVICE_AUTO, .backend = JC_BACKEND_TORCH}, false},
                {{.device = JC_DEVICE_BACKEND}, false},
                {{.device = JC_DEVICE_CPU}, false},
                {{.device = 1, .precision = JC_PRECISION_INT8}, false}};
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        check_report(jc_encoder_shares_device(&rows[i].options) == rows[i].shares, __FILE__, __LINE__, "row %zu", i);
}

static void check_no_device(void)
{
    struct jc_cuda_device device;
    const bool has_cuda = strcmp(jc_cuda_version(), "none") != 0;
    if (jc_cuda_count() > 0)
        return;
    CHECK_FAILS(jc_cuda_device_get(0, &device, &err), has_cuda ? JC_E_NOT_FOUND : JC_E_UNSUPPORTED,
                has_cuda ? "there is no GPU 0" : "this build has no CUDA");
    CHECK_INT(jc_cuda_counts_get().batches, 0);
}

int main(void)
{
    check_forms();
    check_refusals();
    check_fake();
    check_sharing();
    check_no_device();
    return check_finish();
}
