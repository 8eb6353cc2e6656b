/* Two models over the fake encoder that answer differently, in a temporary folder that goes away at the end. */
#ifndef JC_TESTS_TWO_MODELS_H
#define JC_TESTS_TWO_MODELS_H

#include "server/life/model.h"
#include "small_model.h"

enum { TWO_CATEGORIES = 8, TWO_DIM = 384 };

static char two_models_root[256];

static inline const char *two_models_path(size_t i)
{
    static char paths[2][sizeof two_models_root + 8];
    snprintf(paths[i], sizeof paths[i], "%s/%zu", two_models_root, i);
    return paths[i];
}

static inline void two_models_remove(void)
{
    for (size_t i = 0; i < 2; i++)
        jc_dir_remove(two_models_path(i));
    rmdir(two_models_root);
}

/* Model i has the row of "w1" at first, and i as the end of every code; "w1" is its canary, and gives category 0. */
static inline void two_models_write(void)
{
    struct jc_err err;
    const char *temp = getenv("TMPDIR");
    snprintf(two_models_root, sizeof two_models_root, "%s/jc-models-XXXXXX", temp ? temp : "/tmp");
    REQUIRE(mkdtemp(two_models_root));
    atexit(two_models_remove);

    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    static float row[TWO_DIM];
    const int32_t ids[] = {2, 6, 3}; /* [CLS] w1 [SEP] */
    const uint32_t n_tokens = 3;
    REQUIRE_OK(jc_encoder_encode(encoder, ids, &n_tokens, 1, row, &err));
    for (size_t i = 0; i < 2; i++) {
        static char text[TWO_CATEGORIES][16];
        const char *codes[TWO_CATEGORIES];
        for (size_t c = 0; c < TWO_CATEGORIES; c++) {
            snprintf(text[c], sizeof text[c], "10-%04zu.%02zu", c, i);
            codes[c] = text[c];
        }
        const struct small_model model = {.n_categories = TWO_CATEGORIES,
                                          .dim = TWO_DIM,
                                          .max_tokens = 32,
                                          .kind = JC_ENCODER_FAKE,
                                          .source_sha256 = "",
                                          .first_row = row,
                                          .codes = codes,
                                          .canary_title = "w1",
                                          .canary_code = codes[0]};
        small_model_write(two_models_path(i), &model);
    }
}

static inline struct jc_model *two_models_load(size_t i, size_t n_sessions)
{
    struct jc_err err;
    struct jc_model *model = NULL;
    REQUIRE_OK(jc_model_load(two_models_path(i), NULL, n_sessions, &model, &err));
    return model;
}

#endif
