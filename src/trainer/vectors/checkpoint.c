/* Reading a checkpoint's JSON files. Everything this encoder does not do is refused, not ignored. */
#include "trainer/vectors/checkpoint.h"

#include <limits.h>
#include <string.h>

#include "artifact/json.h"
#include "base/file.h"
#include "base/sha256.h"
#include "text/vocab.h"

enum {
    MAX_BYTES = 1 << 20,
    MAX_CONTEXT = 512, /* the tokenizer's longest */
};

/* *ret_json stays NULL where the file is absent and need not be there. */
static jc_code read_json(const char *folder, const char *name, bool required, struct jc_json **ret_json,
                         struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof(path), folder, name, err);
    if (code || (!required && !jc_file_exists(path)))
        return code;
    return jc_json_read(path, MAX_BYTES, ret_json, err);
}

static jc_code get_count(const json_t *config, const char *key, size_t max, size_t *ret_count, struct jc_err *err)
{
    json_int_t value = json_integer_value(json_object_get(config, key)); /* 0 where absent or of another type */
    if (value < 1 || (uint64_t)value > max)
        return jc_fail(err, JC_E_FORMAT, "config.json: '%s' is not an integer from 1 to %zu", key, max);
    *ret_count = (size_t)value;
    return JC_OK;
}

/* A member that must have one value; absent means `fallback`. */
static jc_code check_text(const json_t *config, const char *key, const char *fallback, const char *wanted,
                          struct jc_err *err)
{
    const json_t *value = json_object_get(config, key);
    const char *text = value ? json_string_value(value) : fallback;
    if (!text || strcmp(text, wanted) != 0)
        return jc_fail(err, JC_E_UNSUPPORTED, "config.json: '%s' is '%s'; only '%s' is known", key, text ? text : "",
                       wanted);
    return JC_OK;
}

static jc_code parse_config(const json_t *config, struct jc_bert *bert, struct jc_err *err)
{
    const struct {
        const char *key;
        size_t max;
        size_t *to;
    } counts[] = {
        {"hidden_size", 16384, &bert->hidden},       {"num_hidden_layers", 256, &bert->layers},
        {"num_attention_heads", 1024, &bert->heads}, {"intermediate_size", 65536, &bert->intermediate},
        {"vocab_size", 1 << 24, &bert->vocab},       {"max_position_embeddings", 1 << 20, &bert->positions},
        {"type_vocab_size", 1024, &bert->types},
    };
    jc_code code;
    if ((code = check_text(config, "model_type", "", "bert", err)) ||
        (code = check_text(config, "hidden_act", "gelu", "gelu", err)) ||
        (code = check_text(config, "position_embedding_type", "absolute", "absolute", err)))
        return code;
    for (size_t i = 0; i < JC_COUNT(counts); i++)
        if ((code = get_count(config, counts[i].key, counts[i].max, counts[i].to, err)))
            return code;
    if (bert->hidden % bert->heads)
        return jc_fail(err, JC_E_FORMAT, "config.json: hidden_size %zu is no multiple of num_attention_heads %zu",
                       bert->hidden, bert->heads);
    const json_t *eps = json_object_get(config, "layer_norm_eps");
    bert->layer_norm_eps = eps ? json_number_value(eps) : 1e-12; /* BERT's default */
    if (!(bert->layer_norm_eps > 0 && bert->layer_norm_eps < 1))
        return jc_fail(err, JC_E_FORMAT, "config.json: 'layer_norm_eps' is not a number between 0 and 1");
    return JC_OK;
}

/* 1_Pooling/config.json has a flag a mode; exactly one that is known must be set. */
static jc_code parse_pooling(json_t *config, enum jc_pooling *ret_pooling, struct jc_err *err)
{
    static const char prefix[] = "pooling_mode_";
    size_t n_set = 0;
    void *it = json_object_iter(config);
    for (; it; it = json_object_iter_next(config, it)) {
        const char *key = json_object_iter_key(it);
        if (strncmp(key, prefix, sizeof(prefix) - 1) != 0 || !json_is_true(json_object_iter_value(it)))
            continue;
        const char *mode = key + sizeof(prefix) - 1;
        if (strcmp(mode, "mean_tokens") == 0)
            *ret_pooling = JC_POOLING_MEAN;
        else if (strcmp(mode, "cls_token") == 0)
            *ret_pooling = JC_POOLING_CLS;
        else
            return jc_fail(err, JC_E_UNSUPPORTED, "1_Pooling/config.json: '%s'; only mean and cls are known", key);
        n_set++;
    }
    if (n_set != 1)
        return jc_fail(err, JC_E_UNSUPPORTED, "1_Pooling/config.json: %zu modes are set, not one", n_set);
    return JC_OK;
}

static jc_code choose_pooling(const char *folder, const char *wanted, enum jc_pooling *ret_pooling, bool *ret_guessed,
                              struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *config = NULL;
    enum jc_pooling pooling = JC_POOLING_MEAN;
    jc_code code = read_json(folder, "1_Pooling/config.json", false, &config, err);
    if (code || (config && (code = parse_pooling(jc_json_root(config), &pooling, err))))
        return code;
    if (wanted) {
        if (strcmp(wanted, "mean") != 0 && strcmp(wanted, "cls") != 0)
            return jc_fail(err, JC_E_INVALID, "pooling '%s': mean or cls", wanted);
        enum jc_pooling given = strcmp(wanted, "cls") == 0 ? JC_POOLING_CLS : JC_POOLING_MEAN;
        if (config && given != pooling)
            return jc_fail(err, JC_E_INVALID, "pooling '%s' contradicts 1_Pooling/config.json", wanted);
        pooling = given;
    }
    *ret_pooling = pooling;
    *ret_guessed = !config && !wanted;
    return JC_OK;
}

/* sentence_bert_config.json's max_seq_length, else all positions; at most what the tokenizer gives. */
static jc_code choose_context(const char *folder, struct jc_bert *bert, struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *config = NULL;
    jc_code code = read_json(folder, "sentence_bert_config.json", false, &config, err);
    if (code)
        return code;
    size_t limit = bert->positions < MAX_CONTEXT ? bert->positions : MAX_CONTEXT;
    bert->max_tokens = limit;
    const json_t *value = json_object_get(jc_json_root(config), "max_seq_length");
    if (!value || json_is_null(value))
        return JC_OK;
    if (json_integer_value(value) < 2)
        return jc_fail(err, JC_E_FORMAT, "sentence_bert_config.json: 'max_seq_length' is not an integer from 2");
    if ((uint64_t)json_integer_value(value) < limit)
        bert->max_tokens = (size_t)json_integer_value(value);
    return JC_OK;
}

/* A checkpoint may have more stages than this encoder, e.g. a dense layer behind the pooling. */
static jc_code check_modules(const char *folder, struct jc_err *err)
{
    static const char *const known[] = {"Transformer", "Pooling", "Normalize"};
    JC_AUTO(jc_json) struct jc_json *file = NULL;
    jc_code code = read_json(folder, "modules.json", false, &file, err);
    if (code)
        return code;
    const json_t *modules = jc_json_root(file);
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const char *type = json_string_value(json_object_get(json_array_get(modules, i), "type"));
        const char *dot = type ? strrchr(type, '.') : NULL;
        const char *name = dot ? dot + 1 : type ? type : "";
        bool is_known = false;
        for (size_t k = 0; k < JC_COUNT(known); k++)
            is_known |= strcmp(name, known[k]) == 0;
        if (!is_known)
            return jc_fail(err, JC_E_UNSUPPORTED, "modules.json: module '%s' is not known", name);
    }
    return JC_OK;
}

static jc_code check_tokenizer(const char *folder, const struct jc_bert *bert, struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *config = NULL;
    JC_AUTO(jc_vocab) struct jc_vocab *vocab = NULL;
    char path[PATH_MAX];
    jc_code code;
    if ((code = read_json(folder, "tokenizer_config.json", false, &config, err)))
        return code;
    if (json_is_false(json_object_get(jc_json_root(config), "do_lower_case")))
        return jc_fail(err, JC_E_UNSUPPORTED, "tokenizer_config.json: a cased model; the tokenizer is uncased");
    if ((code = jc_path_join(path, sizeof(path), folder, "vocab.txt", err)) ||
        (code = jc_vocab_load(path, &vocab, err)))
        return code;
    if (jc_vocab_size(vocab) != bert->vocab)
        return jc_fail(err, JC_E_FORMAT, "%s has %zu tokens, config.json says %zu", path, jc_vocab_size(vocab),
                       bert->vocab);
    return JC_OK;
}

jc_code jc_checkpoint_read(const char *folder, const char *pooling, struct jc_bert *ret_bert, bool *ret_guessed,
                           struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *config = NULL;
    struct jc_bert bert = {0};
    char path[PATH_MAX];
    jc_code code;
    if ((code = read_json(folder, "config.json", true, &config, err)) ||
        (code = parse_config(jc_json_root(config), &bert, err)) ||
        (code = choose_pooling(folder, pooling, &bert.pooling, ret_guessed, err)) ||
        (code = choose_context(folder, &bert, err)) || (code = check_modules(folder, err)) ||
        (code = check_tokenizer(folder, &bert, err)) ||
        (code = jc_path_join(path, sizeof(path), folder, "model.safetensors", err)) ||
        (code = jc_sha256_file(path, bert.source_sha256, err)))
        return code;
    *ret_bert = bert;
    return JC_OK;
}
