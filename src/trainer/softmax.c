/*
 * Softmax: a linear layer over the frozen vector and a small lexicon of tokens and token pairs, trained with Adam on
 * objective.h. The vectors know what a title means; the lexicon learns the words that decide between neighbours. A title
 * of several codes is one sample with several targets. Starts from the averages. The same seed and number of threads give the same
 * head.
 */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "linalg/linalg.h"
#include "trainer/adam.h"
#include "trainer/config.h"
#include "trainer/method.h"
#include "trainer/objective.h"
#include "trainer/team.h"

#define LEXICON_DIM 32
#define FEATURE_TEXTS 3 /* a feature of fewer training texts says nothing of new ones */
#define SHARPNESS 20.0F
#define SPREAD 0.1F /* of the first lexicon_embeddings, in logits */

/* The distinct texts of the training rows. */
struct samples {
    struct jc_sample *items; /* [n] */
    size_t n;
    uint32_t *codes;    /* of all, one after another */
    uint32_t *features; /* the same */
};

static void samples_finish(struct samples *samples)
{
    free(samples->items);
    free(samples->codes);
    free(samples->features);
}

/* A row's text and category, sorted to bring a text's together. */
struct pair {
    uint32_t text, category;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    return (a->category > b->category) - (a->category < b->category);
}

static size_t sort_pairs(const struct jc_dataset *dataset, unsigned roles, struct pair *pairs)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_examples; i++)
        if (dataset->examples[i].role & roles)
            pairs[n++] = (struct pair){.text = dataset->examples[i].text, .category = dataset->examples[i].category};
    qsort(pairs, n, sizeof(*pairs), compare_pairs);
    return n;
}

/* Adds the sample of pairs[begin, end), all of one text. */
static void add_sample(struct samples *samples, const struct jc_train_data *data, const struct jc_head *head,
                       const struct pair *pairs, size_t begin, size_t end, size_t *n_codes, size_t *n_features)
{
    struct jc_sample *sample = &samples->items[samples->n++];
    uint32_t text = pairs[begin].text;
    sample->vector = data->vectors + text * data->dim;
    sample->codes = samples->codes + *n_codes;
    for (size_t i = begin; i < end; i++)
        if (i == begin || pairs[i].category != pairs[i - 1].category)
            samples->codes[*n_codes + sample->n_codes++] = pairs[i].category;
    *n_codes += sample->n_codes;

    size_t n_ids;
    const int32_t *ids = jc_tokens_get(data->tokens, text, &n_ids);
    sample->features = samples->features + *n_features;
    sample->n_features =
        (uint32_t)jc_lexicon_features(ids, n_ids, head->keys, head->n_features, samples->features + *n_features);
    *n_features += sample->n_features;
}

static int compare_keys(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Keeps each key that stands at least FEATURE_TEXTS times in the sorted list, once. Returns how many. */
static size_t keep_common(int64_t *keys, size_t n)
{
    size_t n_kept = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && keys[end] == keys[begin]; end++)
            ;
        if (end - begin >= FEATURE_TEXTS)
            keys[n_kept++] = keys[begin];
    }
    return n_kept;
}

/* The head, with the features that enough of the texts have. pairs: sorted. */
static jc_code init_head(const struct jc_train_data *data, const struct pair *pairs, size_t n, struct jc_head *head,
                         struct jc_err *err)
{
    JC_AUTO_FREE int64_t *keys = calloc(n + 1, JC_LEXICON_FEATURES * sizeof(*keys));
    if (!keys)
        return jc_fail(err, JC_E_NOMEM, "no memory for the words of %zu rows", n);
    size_t n_keys = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && pairs[i].text == pairs[i - 1].text)
            continue;
        size_t n_ids;
        const int32_t *ids = jc_tokens_get(data->tokens, pairs[i].text, &n_ids);
        n_keys += jc_lexicon_keys(ids, n_ids, keys + n_keys);
    }
    qsort(keys, n_keys, sizeof(*keys), compare_keys);
    size_t n_features = keep_common(keys, n_keys);
    jc_code code =
        jc_head_init(head, data->dataset->n_categories, data->dim, n_features ? LEXICON_DIM : 0, n_features, err);
    if (!code)
        memcpy(head->keys, keys, n_features * sizeof(*keys));
    return code;
}

/* Initialises the head, and fills the samples. */
static jc_code collect(const struct jc_train_data *data, unsigned roles, struct jc_head *head, struct samples *samples,
                       struct jc_err *err)
{
    size_t n_rows = data->dataset->n_examples, n_codes = 0, n_features = 0;
    JC_AUTO_FREE struct pair *pairs = calloc(n_rows + 1, sizeof(*pairs));
    samples->items = calloc(n_rows + 1, sizeof(*samples->items));
    samples->codes = calloc(n_rows + 1, sizeof(*samples->codes));
    samples->features = calloc(n_rows + 1, JC_LEXICON_FEATURES * sizeof(*samples->features));
    if (!pairs || !samples->items || !samples->codes || !samples->features)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu training rows", n_rows);
    size_t n = sort_pairs(data->dataset, roles, pairs);
    jc_code code = init_head(data, pairs, n, head, err);
    if (code)
        return code;
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && pairs[end].text == pairs[begin].text; end++)
            ;
        add_sample(samples, data, head, pairs, begin, end, &n_codes, &n_features);
    }
    return n ? JC_OK : jc_fail(err, JC_E_INVALID, "there is no training row");
}

/* weight * log of each category's share of the samples' targets. */
static void fill_prior(const struct samples *samples, size_t n_categories, float weight, float *ret_prior)
{
    for (size_t i = 0; i < samples->n; i++)
        for (uint32_t j = 0; j < samples->items[i].n_codes; j++)
            ret_prior[samples->items[i].codes[j]] += 1.0F / (float)samples->items[i].n_codes;
    for (size_t c = 0; c < n_categories; c++)
        ret_prior[c] = weight * logf(fmaxf(ret_prior[c], 0.5F) / (float)samples->n);
}

/* The state of a training that its team shares. */
struct training {
    const struct jc_softmax_config *config;
    struct jc_head *head;
    struct jc_objective objective;
    const struct jc_sample **order; /* [n_samples]: shuffled for each epoch */
    size_t n_samples, batch, n_steps;
    struct jc_shard *shards; /* one a member */
    float *matrix_m, *matrix_v, *bias_m, *bias_v, *lexicon_m, *lexicon_v;
    float *lexicon_gradient; /* [n_features][lexicon_dim]: zero but during an update */
    uint8_t *touched;        /* [n_features]: the same */
};

static void training_finish(struct training *training, unsigned n_members)
{
    for (unsigned i = 0; training->shards && i < n_members; i++)
        jc_shard_finish(&training->shards[i]);
    free(training->shards);
    free(training->order);
    free(training->matrix_m);
    free(training->matrix_v);
    free(training->bias_m);
    free(training->bias_v);
    free(training->lexicon_m);
    free(training->lexicon_v);
    free(training->lexicon_gradient);
    free(training->touched);
}

static jc_code training_init(struct training *training, const struct samples *samples, unsigned n_members,
                             struct jc_err *err)
{
    const struct jc_head *head = training->head;
    size_t width = jc_head_width(head), n = head->n_categories, lexicon = head->n_features * head->lexicon_dim;
    training->order = calloc(samples->n, sizeof(struct jc_sample *));
    training->shards = calloc(n_members, sizeof(*training->shards));
    training->matrix_m = calloc(n, width * sizeof(float));
    training->matrix_v = calloc(n, width * sizeof(float));
    training->bias_m = calloc(n, sizeof(float));
    training->bias_v = calloc(n, sizeof(float));
    training->lexicon_m = calloc(lexicon, sizeof(float));
    training->lexicon_v = calloc(lexicon, sizeof(float));
    training->lexicon_gradient = calloc(lexicon, sizeof(float));
    training->touched = calloc(head->n_features, 1);
    if (!training->order || !training->shards || !training->matrix_m || !training->matrix_v || !training->bias_m ||
        !training->bias_v || !training->lexicon_m || !training->lexicon_v || !training->lexicon_gradient ||
        !training->touched)
        return jc_fail(err, JC_E_NOMEM, "no memory to train %zu categories", n);
    for (size_t i = 0; i < samples->n; i++)
        training->order[i] = &samples->items[i];
    training->n_samples = samples->n;
    training->n_steps = training->config->epochs * ((samples->n + training->batch - 1) / training->batch);
    for (unsigned i = 0; i < n_members; i++) {
        jc_code code = jc_shard_init(&training->shards[i], head, training->batch, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* Fisher and Yates. */
static void shuffle(struct training *training, uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    for (size_t i = training->n_samples; i > 1; i--) {
        size_t j = (size_t)(jc_rng_next(&rng) % i);
        const struct jc_sample *swap = training->order[i - 1];
        training->order[i - 1] = training->order[j];
        training->order[j] = swap;
    }
}

/* A batch: samples [begin, end) of the order, a part for each member. */
struct part {
    size_t begin, end;
};

static struct part part_of(size_t begin, size_t end, unsigned n_members, unsigned member)
{
    size_t n = end - begin;
    return (struct part){begin + n * member / n_members, begin + n * (member + 1) / n_members};
}

/* The member's categories: the sum of all shards' gradients, then Adam. */
static void update_matrix(struct training *training, unsigned n_members, unsigned member, float lr, size_t step)
{
    struct jc_head *head = training->head;
    size_t width = jc_head_width(head);
    struct part rows = part_of(0, head->n_categories, n_members, member);
    size_t first = rows.begin * width, n = (rows.end - rows.begin) * width;
    float *gradient = training->shards[0].matrix_gradient, *bias_gradient = training->shards[0].bias_gradient;
    for (unsigned i = 1; i < n_members; i++) {
        jc_vec_add(gradient + first, 1, training->shards[i].matrix_gradient + first, n);
        jc_vec_add(bias_gradient + rows.begin, 1, training->shards[i].bias_gradient + rows.begin,
                   rows.end - rows.begin);
    }
    /* Scores are logits / SHARPNESS: what adds to them directly takes steps as much smaller. The lexicon's columns do,
     * at twice the rate of the embeddings. */
    const struct jc_adam_step wide = jc_adam_step(lr, step), narrow = jc_adam_step(2 * lr / SHARPNESS, step);
    for (size_t row = rows.begin; row < rows.end; row++) {
        size_t at = row * width, lexicon = at + head->dim;
        jc_adam_update(&wide, head->matrix + at, gradient + at, training->matrix_m + at, training->matrix_v + at,
                       head->dim);
        jc_adam_update(&narrow, head->matrix + lexicon, gradient + lexicon, training->matrix_m + lexicon,
                       training->matrix_v + lexicon, head->lexicon_dim);
    }
    const struct jc_adam_step bias = jc_adam_step(lr / SHARPNESS, step);
    jc_adam_update(&bias, head->bias + rows.begin, bias_gradient + rows.begin, training->bias_m + rows.begin,
                   training->bias_v + rows.begin, rows.end - rows.begin);
}

/* Calls visit for each feature of the batch that is the member's (its number modulo the members), in the batch's
 * order. */
static void visit_features(struct training *training, size_t begin, size_t end, unsigned n_members, unsigned member,
                           void (*visit)(struct training *training, uint32_t feature, const float *words, float weight,
                                         const struct jc_adam_step *step),
                           const struct jc_adam_step *step)
{
    size_t dim = training->head->lexicon_dim;
    for (unsigned s = 0; s < n_members; s++) {
        struct part part = part_of(begin, end, n_members, s);
        const struct jc_shard *shard = &training->shards[s];
        for (size_t i = part.begin; i < part.end; i++) {
            const struct jc_sample *sample = training->order[i];
            const float *weights = shard->feature_weights + (i - part.begin) * JC_LEXICON_FEATURES;
            for (uint32_t f = 0; f < sample->n_features; f++)
                if (sample->features[f] % n_members == member && weights[f] > 0)
                    visit(training, sample->features[f], shard->words_gradient + (i - part.begin) * dim, weights[f],
                          step);
        }
    }
}

static void gather(struct training *training, uint32_t feature, const float *words, float weight,
                   const struct jc_adam_step *step)
{
    (void)step;
    training->touched[feature] = 1;
    jc_vec_add(training->lexicon_gradient + feature * training->head->lexicon_dim, weight, words,
               training->head->lexicon_dim);
}

/* The first visit of a touched feature applies its gradient and clears it. */
static void apply(struct training *training, uint32_t feature, const float *words, float weight,
                  const struct jc_adam_step *step)
{
    (void)words;
    (void)weight;
    if (!training->touched[feature])
        return;
    training->touched[feature] = 0;
    size_t dim = training->head->lexicon_dim, at = feature * dim;
    jc_adam_update(step, training->head->lexicon + at, training->lexicon_gradient + at, training->lexicon_m + at,
                   training->lexicon_v + at, dim);
    memset(training->lexicon_gradient + at, 0, dim * sizeof(float));
}

/* Only the rows that the batch has: Adam for sparse gradients. */
static void update_lexicon(struct training *training, size_t begin, size_t end, unsigned n_members, unsigned member,
                           float lr, size_t step)
{
    const struct jc_adam_step rows = jc_adam_step(2 * lr, step);
    visit_features(training, begin, end, n_members, member, gather, &rows);
    visit_features(training, begin, end, n_members, member, apply, &rows);
}

static void run_step(struct training *training, struct jc_team *team, unsigned member, size_t begin, size_t end,
                     size_t step)
{
    struct part part = part_of(begin, end, team->n_members, member);
    struct jc_shard *shard = &training->shards[member];
    jc_team_wait(team);
    if (part.end > part.begin) {
        jc_objective_run(&training->objective, training->head, training->order + part.begin, part.end - part.begin,
                         1.0F / (float)(end - begin), training->config->seed ^ (step << 20) ^ part.begin, shard);
    } else {
        memset(shard->matrix_gradient, 0, training->head->n_categories * jc_head_width(training->head) * sizeof(float));
        memset(shard->bias_gradient, 0, training->head->n_categories * sizeof(float));
    }
    jc_team_wait(team);
    float lr = (float)(training->config->learning_rate * (1.0 - (double)(step - 1) / (double)training->n_steps));
    update_matrix(training, team->n_members, member, lr, step);
    update_lexicon(training, begin, end, team->n_members, member, lr, step);
}

static void train(void *context, struct jc_team *team, unsigned member)
{
    struct training *training = context;
    size_t step = 0;
    for (size_t epoch = 0; epoch < training->config->epochs; epoch++) {
        jc_team_wait(team);
        if (member == 0)
            shuffle(training, training->config->seed + epoch);
        for (size_t begin = 0; begin < training->n_samples; begin += training->batch) {
            size_t left = training->n_samples - begin;
            run_step(training, team, member, begin, begin + (left < training->batch ? left : training->batch), ++step);
        }
    }
}

/* Averages for the embeddings, small noise for the lexicon's columns (its rows start at zero). */
static void start_head(const struct jc_train_data *data, unsigned roles, uint64_t seed, struct jc_head *head)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    jc_method_average_rows(data, roles, head);
    for (size_t c = 0; c < head->n_categories; c++)
        for (size_t i = head->dim; i < jc_head_width(head); i++) {
            /* Three uniforms sum to a variance of 1/4: close enough to normal. */
            double sum = jc_rng_unit(&rng) + jc_rng_unit(&rng) + jc_rng_unit(&rng) - 1.5;
            head->matrix[c * jc_head_width(head) + i] = 2 * (float)sum * SPREAD / SHARPNESS;
        }
}

static jc_code fit(const struct jc_train_data *data, unsigned roles, struct jc_head *head, struct jc_err *err)
{
    const struct jc_softmax_config *config = &data->config->softmax;
    __attribute__((cleanup(samples_finish))) struct samples samples = {0};
    JC_AUTO_FREE float *prior = calloc(data->dataset->n_categories, sizeof(*prior));
    if (!prior)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = collect(data, roles, head, &samples, err);
    if (code)
        return code;
    head->sharpness = SHARPNESS;
    fill_prior(&samples, head->n_categories, (float)config->prior, prior);
    start_head(data, roles, config->seed, head);

    unsigned n_members = data->n_threads ? data->n_threads : 1;
    struct training training = {.config = config,
                                .head = head,
                                .batch = config->batch,
                                .objective = {.prior = prior,
                                              .smoothing = (float)config->smoothing,
                                              .dropout = (float)config->dropout,
                                              .word_dropout = (float)config->word_dropout}};
    code = training_init(&training, &samples, n_members, err);
    if (!code)
        code = jc_team_run(n_members, train, &training, err);
    training_finish(&training, n_members);
    return code;
}

const struct jc_method jc_method_softmax = {.name = "softmax", .sharpness = SHARPNESS, .fit = fit};
