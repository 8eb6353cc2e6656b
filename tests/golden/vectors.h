/* The recorded texts and their vectors, and the encoder that made these. */
#ifndef JC_TESTS_VECTORS_H
#define JC_TESTS_VECTORS_H

#include "artifact/safetensors.h"
#include "base/bert.h"
#include "golden.h"

enum { N_TEXTS = 500, DIM = 384, MAX_LEN = 256 };

/* config.json and 1_Pooling/config.json of all-MiniLM-L6-v2. */
static const struct jc_bert shape = {.hidden = DIM,
                                     .layers = 6,
                                     .heads = 12,
                                     .intermediate = 1536,
                                     .vocab = 30522,
                                     .positions = 512,
                                     .types = 2,
                                     .layer_norm_eps = 1e-12,
                                     .pooling = JC_POOLING_MEAN,
                                     .max_tokens = MAX_LEN};

struct texts {
    int32_t ids[N_TEXTS][MAX_LEN];
    uint32_t n_tokens[N_TEXTS];
};

static inline void load_texts(struct texts *texts)
{
    char path[PATH_MAX];
    find_recorded("vector_texts.jsonl", path);
    JC_AUTO_FILE FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    for (size_t i = 0; i < N_TEXTS; i++) {
        json_t *record = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        const json_t *ids = json_object_get(record, "ids");
        size_t n = json_array_size(ids);
        REQUIRE(n >= 3 && n <= MAX_LEN);
        for (size_t t = 0; t < n; t++)
            texts->ids[i][t] = (int32_t)json_integer_value(json_array_get(ids, t));
        texts->n_tokens[i] = (uint32_t)n;
        json_decref(record);
    }
}

/* The published weights, and the vectors [N_TEXTS][DIM] that sentence-transformers made with them, in *ret_file. */
static inline const float *open_vectors(struct jc_safetensors **ret_weights, struct jc_safetensors **ret_file)
{
    char path[PATH_MAX];
    struct jc_err err;
    const float *vectors = NULL;
    find_input("JOBCODE_WEIGHTS", "model.safetensors", path);
    REQUIRE_OK(jc_safetensors_open(path, ret_weights, &err));
    find_recorded("vectors.safetensors", path);
    REQUIRE_OK(jc_safetensors_open(path, ret_file, &err));
    REQUIRE_OK(jc_safetensors_get_f32(*ret_file, "vectors", 2, (size_t[]){N_TEXTS, DIM}, &vectors, &err));
    return vectors;
}

#endif
