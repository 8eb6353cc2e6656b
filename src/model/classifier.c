/* The classifier: loads what belongs together, and checks that it does. */
#include "model/classifier.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "model/classifier_impl.h"
#include "model/scoring.h"

enum {
    MAX_TOKENS = 512, /* the most any tokenizer gives a chunk: the buffer of prepare lies on the stack */
    MAX_CHUNKS = 16,
    MAX_CATEGORIES = 1 << 20, /* a hit's index has 32 bits and a batch's scores must fit into memory */
};

static jc_code load_encoder(struct jc_classifier *classifier, const struct jc_encoder_options *options,
                            struct jc_err *err)
{
    const struct jc_bundle *bundle = classifier->bundle;
    char path[PATH_MAX];
    struct jc_encoder_source source = {
        .kind = jc_bundle_manifest(bundle)->encoder.kind, .bert = jc_bundle_bert(bundle), .weights = path};
    source.calibration = jc_bundle_calibration(bundle, &source.n_calibration);
    jc_code code = jc_path_join(path, sizeof(path), jc_bundle_folder(bundle), JC_BUNDLE_WEIGHTS, err);
    return code ? code : jc_encoder_load(&source, options, &classifier->encoder, err);
}

static jc_code load_parts(struct jc_classifier *classifier, const char *folder,
                          const struct jc_encoder_options *options, struct jc_err *err)
{
    jc_code code = jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &classifier->bundle, err);
    if (code)
        return code;

    const struct jc_manifest *manifest = jc_bundle_manifest(classifier->bundle);
    char path[PATH_MAX]; /* not in `folder`: a link may have moved on */
    if ((code = jc_path_join(path, sizeof(path), jc_bundle_folder(classifier->bundle), JC_BUNDLE_VOCAB, err)) ||
        (code = jc_tokenizer_load(path, manifest->encoder.max_tokens, &classifier->tokenizer, err)) ||
        (code = jc_tokenizer_set_prefix(classifier->tokenizer, manifest->encoder.prefix, err)))
        return code;

    if (jc_posting_part_parse(manifest->encoder.part, &classifier->part, err))
        return err->code = JC_E_FORMAT, jc_wrap(err, "%s: /encoder/part", folder);

    return load_encoder(classifier, options, err);
}

/* Bundle, tokenizer and encoder were each valid alone; here they must fit together. */
static jc_code check_fit(const struct jc_classifier *classifier, struct jc_err *err)
{
    const struct jc_manifest *manifest = jc_bundle_manifest(classifier->bundle);
    const struct jc_encoder_info *info = jc_encoder_info(classifier->encoder);
    size_t n_vocab = jc_tokenizer_vocab_size(classifier->tokenizer);

    if (manifest->encoder.max_tokens > MAX_TOKENS)
        return jc_fail(err, JC_E_FORMAT, "the manifest wants %zu tokens a text; %d are possible",
                       manifest->encoder.max_tokens, MAX_TOKENS);
    if (manifest->encoder.chunks < 1 || manifest->encoder.chunks > MAX_CHUNKS)
        return jc_fail(err, JC_E_FORMAT, "the manifest wants %zu chunks a text; 1 to %d are possible",
                       manifest->encoder.chunks, MAX_CHUNKS);
    if (info->dim != manifest->dim)
        return jc_fail(err, JC_E_FORMAT, "the encoder gives %zu dimensions, the categories have %zu", info->dim,
                       manifest->dim);
    if (strcmp(info->source_sha256, manifest->encoder.source_sha256) != 0) /* the fake's is empty */
        return jc_fail(err, JC_E_FORMAT, "the encoder was made from weights '%.12s', the categories with '%.12s'",
                       info->source_sha256, manifest->encoder.source_sha256);
    if (info->vocab != 0 && info->vocab != n_vocab)
        return jc_fail(err, JC_E_FORMAT, "the encoder knows %zu tokens, " JC_BUNDLE_VOCAB " has %zu", info->vocab,
                       n_vocab);
    if (manifest->encoder.max_tokens > info->max_tokens)
        return jc_fail(err, JC_E_FORMAT, "the manifest wants %zu tokens a text, the encoder takes %zu",
                       manifest->encoder.max_tokens, info->max_tokens);
    if (manifest->n_categories == 0 || manifest->n_categories > MAX_CATEGORIES)
        return jc_fail(err, JC_E_FORMAT, "%zu categories: 1 to %d are possible", manifest->n_categories,
                       MAX_CATEGORIES);
    return JC_OK;
}

jc_code jc_classifier_load(const char *folder, const struct jc_encoder_options *options,
                           struct jc_classifier **ret_classifier, struct jc_err *err)
{
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = calloc(1, sizeof(*classifier));
    if (!classifier)
        return jc_fail(err, JC_E_NOMEM, "no memory for the classifier");
    jc_code code = load_parts(classifier, folder, options, err);
    if (code)
        return code;
    size_t n_categories;
    const struct jc_category *categories = jc_bundle_categories(classifier->bundle, &n_categories);
    if ((code = check_fit(classifier, err)) ||
        (code = jc_groups_create(categories, n_categories, &classifier->groups, err)) ||
        (code = jc_ranker_create(classifier->encoder, jc_bundle_head(classifier->bundle), &classifier->ranker, err)))
        return jc_wrap(err, "model '%s'", folder);
    *ret_classifier = TAKE(classifier);
    return JC_OK;
}

void jc_classifier_destroy(struct jc_classifier *classifier)
{
    if (!classifier)
        return;
    jc_groups_destroy(classifier->groups);
    jc_ranker_destroy(classifier->ranker);
    jc_encoder_destroy(classifier->encoder);
    jc_tokenizer_destroy(classifier->tokenizer);
    jc_bundle_destroy(classifier->bundle);
    free(classifier);
}

const struct jc_encoder_info *jc_classifier_encoder(const struct jc_classifier *classifier)
{
    return jc_encoder_info(classifier->encoder);
}

const struct jc_bundle *jc_classifier_bundle(const struct jc_classifier *classifier)
{
    return classifier->bundle;
}

const struct jc_groups *jc_classifier_groups(const struct jc_classifier *classifier)
{
    return classifier->groups;
}

jc_code jc_classifier_prepare(const struct jc_classifier *classifier, const struct jc_posting *posting,
                              struct jc_input *input, struct jc_err *err)
{
    input->ids = NULL;
    input->n_ids = 0;
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_code code = jc_posting_text(posting, classifier->part, &text, err);
    if (code || text.n == 0)
        return code;

    int32_t ids[MAX_TOKENS * MAX_CHUNKS];
    size_t n, n_chunks = jc_bundle_manifest(classifier->bundle)->encoder.chunks;
    if ((code = jc_tokenizer_encode(classifier->tokenizer, text.data, text.n, n_chunks, ids, &n, err)))
        return code;
    if (n <= 2) /* [CLS] [SEP]: letters that the normaliser drops */
        return JC_OK;
    input->ids = malloc(n * sizeof(*ids));
    if (!input->ids)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu tokens", n);
    memcpy(input->ids, ids, n * sizeof(*ids));
    input->n_ids = (uint32_t)n;
    return JC_OK;
}

void jc_input_finish(struct jc_input *input)
{
    free(input->ids);
    input->ids = NULL;
    input->n_ids = 0;
}

float jc_classifier_confidence(const struct jc_classifier *classifier, const struct jc_input *input, size_t i)
{
    if (input->level != JC_LEVEL_NONE)
        return input->hits[i].score;
    return jc_scoring_probability(jc_bundle_head(classifier->bundle), input->hits[i].score, &input->norm);
}

bool jc_classifier_accepts(const struct jc_classifier *classifier, const struct jc_input *input)
{
    return input->n_hits > 0 &&
           jc_classifier_confidence(classifier, input, 0) >= jc_bundle_head(classifier->bundle)->min_confidence;
}

const char *jc_classifier_evidence_text(const struct jc_classifier *classifier, const struct jc_evidence *evidence)
{
    return jc_exemplars_text(&jc_bundle_head(classifier->bundle)->exemplars, evidence->text);
}
