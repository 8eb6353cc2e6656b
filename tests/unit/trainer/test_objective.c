/* The objective's loss against one computed in double, and its gradients against central differences of that. */
#include "trainer/methods/objective.h"

#include "base/own.h"
#include "base/rng.h"
#include "check.h"

enum { N = 5, DIM = 6, WORDS = 3, FEATURES = 11, WIDTH = DIM + WORDS, N_SAMPLES = 4 };
#define FACTOR 0.25F

static struct jc_err err;

static const uint32_t codes[] = {1, 0, 3, 4, 2, 0, 1};
static const float shares[] = {1, 0.25F, 0.75F, 1, 0.5F, 0.2F, 0.3F};
static const uint32_t features[] = {0, 4, 7, 4, 10, 2};

struct fixture {
    struct jc_head head;
    float vectors[N_SAMPLES * DIM], prior[N];
    struct jc_sample samples[N_SAMPLES];
    const struct jc_sample *order[N_SAMPLES];
    struct jc_shard shard;
};

static void fill_random(struct jc_rng *rng, float *x, size_t n, double spread)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((jc_rng_unit(rng) * 2 - 1) * spread);
}

static void fixture_init(struct fixture *f)
{
    struct jc_rng rng = jc_rng_seeded(8);
    *f = (struct fixture){.head = {0}};
    REQUIRE_OK(jc_head_init(&f->head, N, DIM, WORDS, FEATURES, &err));
    REQUIRE_OK(jc_shard_init(&f->shard, &f->head, N_SAMPLES + 2, &err));
    f->head.sharpness = 3;
    fill_random(&rng, f->head.matrix, N * WIDTH, 0.5);
    fill_random(&rng, f->head.bias, N, 0.3);
    fill_random(&rng, f->head.lexicon, FEATURES * WORDS, 0.7);
    fill_random(&rng, f->vectors, N_SAMPLES * DIM, 1);
    fill_random(&rng, f->prior, N, 2);
    /* One code, several, one without features, all three features of one text also in another. */
    const float weights[] = {1, 0.5F, 2, 0.8F};
    const uint32_t n_codes[] = {1, 2, 1, 3}, n_features[] = {3, 2, 0, 1};
    uint32_t at_code = 0, at_feature = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        double squares = 0;
        for (size_t d = 0; d < DIM; d++)
            squares += (double)f->vectors[i * DIM + d] * (double)f->vectors[i * DIM + d];
        for (size_t d = 0; d < DIM; d++)
            f->vectors[i * DIM + d] /= (float)sqrt(squares);
        f->samples[i] = (struct jc_sample){.vector = f->vectors + i * DIM,
                                           .codes = codes + at_code,
                                           .shares = shares + at_code,
                                           .weight = weights[i],
                                           .features = features + at_feature,
                                           .n_codes = n_codes[i],
                                           .n_features = n_features[i]};
        f->order[i] = &f->samples[i];
        at_code += n_codes[i];
        at_feature += n_features[i];
    }
}

static void fixture_finish(struct fixture *f)
{
    jc_head_finish(&f->head);
    jc_shard_finish(&f->shard);
}

/* Everything in double: parameters, and what the dropout left of each sample. */
struct reference {
    double matrix[N * WIDTH], bias[N], lexicon[FEATURES * WORDS];
    double vectors[N_SAMPLES * DIM], weights[N_SAMPLES][JC_LEXICON_FEATURES];
};

static double compute_logit(const struct fixture *f, const struct reference *reference,
                            const struct jc_objective *objective, size_t i, size_t c)
{
    const double *row = reference->matrix + c * WIDTH;
    double score = reference->bias[c];
    for (size_t j = 0; j < f->samples[i].n_codes; j++)
        score -= f->samples[i].codes[j] == c ? (double)objective->margin : 0;
    for (size_t d = 0; d < DIM; d++)
        score += row[d] * reference->vectors[i * DIM + d];
    for (size_t j = 0; j < f->samples[i].n_features; j++)
        for (size_t d = 0; d < WORDS; d++)
            score +=
                row[DIM + d] * reference->weights[i][j] * reference->lexicon[f->samples[i].features[j] * WORDS + d];
    return (double)f->head.sharpness * score + (objective->prior ? (double)objective->prior[c] : 0);
}

static double compute_loss(const struct fixture *f, const struct reference *reference,
                           const struct jc_objective *objective)
{
    double loss = 0, smoothing = (double)objective->smoothing;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        double logits[N], sum = 0;
        for (size_t c = 0; c < N; c++)
            sum += exp(logits[c] = compute_logit(f, reference, objective, i, c));
        for (size_t c = 0; c < N; c++) {
            double target = smoothing / N;
            for (size_t j = 0; j < f->samples[i].n_codes; j++)
                target += f->samples[i].codes[j] == c ? (1 - smoothing) * (double)f->samples[i].shares[j] : 0;
            loss -= (double)f->samples[i].weight * target * (logits[c] - log(sum));
        }
    }
    return loss * (double)FACTOR;
}

/* Central differences of the loss by n parameters, against `gradient`. */
static void check_gradient(const struct fixture *f, struct reference *reference, const struct jc_objective *objective,
                           const char *name, double *parameters, const float *gradient, size_t n)
{
    const double h = 1e-5;
    for (size_t i = 0; i < n; i++) {
        double before = parameters[i];
        parameters[i] = before + h;
        double above = compute_loss(f, reference, objective);
        parameters[i] = before - h;
        double below = compute_loss(f, reference, objective);
        parameters[i] = before;
        double wanted = (above - below) / (2 * h);
        check_report(fabs(wanted - (double)gradient[i]) < 2e-6, __FILE__, __LINE__, "%s[%zu] is %.9g, not %.9g", name,
                     i, (double)gradient[i], wanted);
    }
}

static void to_double(const float *from, size_t n, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (double)from[i];
}

/* The lexicon's gradient, as a step gathers it. */
static void gather_lexicon(const struct fixture *f, float *ret_gradient)
{
    memset(ret_gradient, 0, FEATURES * WORDS * sizeof(*ret_gradient));
    for (size_t i = 0; i < N_SAMPLES; i++)
        for (size_t j = 0; j < f->samples[i].n_features; j++)
            for (size_t d = 0; d < WORDS; d++)
                ret_gradient[f->samples[i].features[j] * WORDS + d] +=
                    f->shard.feature_weights[i * JC_LEXICON_FEATURES + j] * f->shard.words_gradient[i * WORDS + d];
}

/* What was dropped is read from the shard's queries and weights, after these are checked themselves. */
static size_t check_dropped(const struct fixture *f, const struct jc_objective *objective, struct reference *reference)
{
    size_t n_dropped = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const float *query = f->shard.queries + i * WIDTH, *vector = f->samples[i].vector;
        double squares = 0;
        for (size_t d = 0; d < DIM; d++)
            squares += query[d] == 0 ? 0 : (double)vector[d] * (double)vector[d];
        for (size_t d = 0; d < DIM; d++) {
            n_dropped += query[d] == 0;
            reference->vectors[i * DIM + d] = query[d] == 0 ? 0 : (double)vector[d] / sqrt(squares);
            CHECK_NEAR(query[d], reference->vectors[i * DIM + d], 1e-6);
        }
        for (size_t j = 0; j < f->samples[i].n_features; j++) {
            float weight = f->shard.feature_weights[i * JC_LEXICON_FEATURES + j];
            n_dropped += weight == 0;
            reference->weights[i][j] =
                weight == 0 ? 0 : 1 / ((1 - (double)objective->word_dropout) * sqrt(f->samples[i].n_features));
            CHECK_NEAR(weight, reference->weights[i][j], 1e-6);
        }
    }
    return n_dropped;
}

static size_t check_objective(struct fixture *f, struct jc_objective objective, uint64_t seed)
{
    struct reference reference;
    memset(&reference, 0, sizeof(reference));
    float lexicon_gradient[FEATURES * WORDS];
    jc_objective_run(&objective, &f->head, f->order, N_SAMPLES, FACTOR, seed, &f->shard);
    to_double(f->head.matrix, N * WIDTH, reference.matrix);
    to_double(f->head.bias, N, reference.bias);
    to_double(f->head.lexicon, FEATURES * WORDS, reference.lexicon);
    size_t n_dropped = check_dropped(f, &objective, &reference);

    CHECK_NEAR(f->shard.loss, compute_loss(f, &reference, &objective), 2e-6);
    gather_lexicon(f, lexicon_gradient);
    check_gradient(f, &reference, &objective, "matrix", reference.matrix, f->shard.matrix_gradient, N * WIDTH);
    check_gradient(f, &reference, &objective, "bias", reference.bias, f->shard.bias_gradient, N);
    check_gradient(f, &reference, &objective, "lexicon", reference.lexicon, lexicon_gradient, FEATURES * WORDS);
    return n_dropped;
}

/* The same seed drops the same, another something else. */
static void test_seed(struct fixture *f)
{
    const struct jc_objective objective = {.dropout = 0.5F, .word_dropout = 0.5F};
    float first[N_SAMPLES * WIDTH];
    jc_objective_run(&objective, &f->head, f->order, N_SAMPLES, FACTOR, 1, &f->shard);
    memcpy(first, f->shard.queries, sizeof(first));
    double loss = f->shard.loss;
    jc_objective_run(&objective, &f->head, f->order, N_SAMPLES, FACTOR, 1, &f->shard);
    CHECK(memcmp(first, f->shard.queries, sizeof(first)) == 0);
    CHECK(f->shard.loss == loss);
    jc_objective_run(&objective, &f->head, f->order, N_SAMPLES, FACTOR, 2, &f->shard);
    CHECK(memcmp(first, f->shard.queries, sizeof(first)) != 0);
}

/* The loss alone is the same without dropout, which it ignores, and leaves the gradients as they are. */
static void test_loss(struct fixture *f)
{
    const struct jc_objective whole = {.prior = f->prior, .smoothing = 0.1F, .margin = 0.2F};
    struct jc_objective dropping = whole;
    dropping.dropout = dropping.word_dropout = 0.5F;
    jc_objective_run(&whole, &f->head, f->order, N_SAMPLES, 1, 1, &f->shard);
    float gradient[N * WIDTH];
    memcpy(gradient, f->shard.matrix_gradient, sizeof(gradient));
    CHECK_NEAR(jc_objective_loss(&dropping, &f->head, f->order, N_SAMPLES, &f->shard), f->shard.loss, 1e-6);
    CHECK(memcmp(gradient, f->shard.matrix_gradient, sizeof(gradient)) == 0);
}

/* Scores in the thousands: loss and gradient stay numbers. */
static void test_large(struct fixture *f)
{
    const struct jc_objective objective = {.smoothing = 0.1F};
    f->head.sharpness = 1000;
    jc_objective_run(&objective, &f->head, f->order, 1, 1, 1, &f->shard);
    CHECK(isfinite(f->shard.loss) && f->shard.loss >= 0);
    float sum = 0;
    for (size_t c = 0; c < N; c++) {
        CHECK(isfinite(f->shard.bias_gradient[c]));
        sum += f->shard.bias_gradient[c] / f->head.sharpness;
    }
    CHECK_NEAR(sum, 0, 1e-4); /* softmax and targets both sum to 1 */
    f->head.sharpness = 3;
}

int main(void)
{
    __attribute__((cleanup(fixture_finish))) struct fixture f;
    fixture_init(&f);
    CHECK_INT(check_objective(&f, (struct jc_objective){0}, 1), 0);
    CHECK_INT(check_objective(&f, (struct jc_objective){.prior = f.prior}, 1), 0);
    CHECK_INT(check_objective(&f, (struct jc_objective){.smoothing = 0.2F}, 1), 0);
    CHECK_INT(check_objective(&f, (struct jc_objective){.margin = 0.3F}, 1), 0);
    size_t n_dropped = 0;
    for (uint64_t seed = 0; seed < 5; seed++)
        n_dropped += check_objective(
            &f,
            (struct jc_objective){
                .prior = f.prior, .smoothing = 0.1F, .dropout = 0.3F, .word_dropout = 0.4F, .margin = 0.1F},
            seed);
    CHECK(n_dropped > 15 && n_dropped < 90); /* of 150: 46 expected */
    test_seed(&f);
    test_loss(&f);
    test_large(&f);
    return check_finish();
}
