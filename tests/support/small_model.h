/* A small bundle over the fake encoder, with what a test wants changed in it. */
#ifndef JC_TESTS_SMALL_MODEL_H
#define JC_TESTS_SMALL_MODEL_H

#include <limits.h>

#include "artifact/bundle.h"
#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

enum { SMALL_WORDS = 40 };

struct small_model {
    size_t n_categories, dim; /* category i has code "10-%04i.00" and a random unit row */
    size_t max_tokens;
    size_t chunks;    /* 0 = 1 */
    const char *part; /* of a posting; NULL = the title */
    const char *kind, *source_sha256;
    const char *canary_title, *canary_code; /* NULL = no canary */
    const float *first_row;                 /* NULL, or category 0's embedding */
    const char *const *codes;               /* [n_categories], or NULL */
    const struct jc_exemplars *exemplars;   /* NULL = none */
    float sharpness, min_confidence;        /* 0 = as a new head has them */
    float saturation, power;                /* power 0 = as a new head has it */
};

/* "w0" .. "w39", letters and digits; 5 frame tokens before them. */
static inline void small_model_write_vocab(const char *path)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_buf_puts(&text, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int i = 0; i < SMALL_WORDS; i++)
        jc_buf_printf(&text, "w%d\n", i);
    for (char c = 'a'; c <= 'z'; c++)
        jc_buf_printf(&text, "%c\n##%c\n", c, c);
    REQUIRE_OK(jc_file_write(path, text.data, text.n, &err));
}

static inline void small_model_fill_rows(const struct small_model *model, float *rows)
{
    struct jc_rng rng = jc_rng_seeded(7);
    for (size_t i = 0; i < model->n_categories * model->dim; i++)
        rows[i] = (float)(jc_rng_unit(&rng) - 0.5);
    if (model->first_row)
        memcpy(rows, model->first_row, model->dim * sizeof(*rows));
    for (size_t i = 0; i < model->n_categories; i++)
        jc_vec_normalize(rows + i * model->dim, model->dim);
}

static inline void small_model_write(const char *folder, const struct small_model *model)
{
    struct jc_err err;
    char vocab_path[PATH_MAX];
    snprintf(vocab_path, sizeof(vocab_path), "%s.vocab.txt", folder);
    small_model_write_vocab(vocab_path);

    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    struct jc_category *categories = calloc(model->n_categories, sizeof(*categories));
    char(*codes)[32] = calloc(model->n_categories, sizeof(*codes));
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    REQUIRE_OK(jc_head_init(&head, model->n_categories, model->dim, 0, 0, &err));
    REQUIRE(manifest && categories && codes);
    for (size_t i = 0; i < model->n_categories; i++) {
        snprintf(codes[i], sizeof(codes[i]), "10-%04zu.00", i);
        categories[i] = (struct jc_category){.code = model->codes ? model->codes[i] : codes[i], .title = "A title"};
    }
    small_model_fill_rows(model, head.matrix);
    if (model->exemplars)
        head.exemplars = *model->exemplars;
    if (model->sharpness > 0)
        head.sharpness = model->sharpness;
    head.saturation = model->saturation;
    if (model->power > 0)
        head.power = model->power;
    head.min_confidence = model->min_confidence;
    manifest->name = strdup("small");
    manifest->taxonomy = strdup("test");
    manifest->method = strdup("random");
    manifest->data_version = strdup("test");
    manifest->attribution = strdup("");
    manifest->encoder.kind = strdup(model->kind);
    manifest->encoder.name = strdup("fake");
    manifest->encoder.max_tokens = model->max_tokens;
    manifest->encoder.part = strdup(model->part ? model->part : "title");
    manifest->encoder.chunks = model->chunks ? model->chunks : 1;
    snprintf(manifest->encoder.source_sha256, sizeof(manifest->encoder.source_sha256), "%s", model->source_sha256);
    if (model->canary_title) {
        manifest->canaries = calloc(1, sizeof(*manifest->canaries));
        REQUIRE(manifest->canaries);
        manifest->canaries[0].title = strdup(model->canary_title);
        manifest->canaries[0].code = strdup(model->canary_code);
        manifest->n_canaries = 1;
    }
    struct jc_bundle_content content = {
        .manifest = manifest, .categories = categories, .head = &head, .vocab_path = vocab_path};
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    head.exemplars = (struct jc_exemplars){0}; /* the caller's */
    unlink(vocab_path);
    free(codes);
    free(categories);
}

#endif
