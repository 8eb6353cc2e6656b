/*
 * The margin loss: against what torch gave for the same rows (tests/golden/record_contrastive.py), and, on random rows,
 * against a loss in double, its central differences and Adam as the paper writes it.
 */
#include "trainer/methods/hinge.h"

#include <limits.h>

#include "artifact/safetensors.h"
#include "base/own.h"
#include "base/rng.h"
#include "check.h"

enum { MAX_TEXTS = 32, MAX_ROWS = 1024, MAX_TABLE = 64 };

static struct jc_err err;

/* A case: rows in the order they are trained in, and the texts they name. */
struct fixture {
    struct jc_sample samples[MAX_TEXTS];
    uint32_t codes[MAX_TEXTS][8];
    struct jc_hinge_row rows[MAX_ROWS];
    struct jc_hinge hinge;
};

static void add_row(struct fixture *f, const float *vectors, uint32_t text, uint32_t category, float weight)
{
    REQUIRE(text < MAX_TEXTS && f->hinge.n_rows < MAX_ROWS);
    struct jc_sample *sample = &f->samples[text];
    sample->vector = vectors + text * f->hinge.dim;
    sample->codes = f->codes[text];
    bool known = false;
    for (uint32_t i = 0; i < sample->n_codes; i++)
        known |= sample->codes[i] == category;
    if (!known)
        f->codes[text][sample->n_codes++] = category;
    f->rows[f->hinge.n_rows++] = (struct jc_hinge_row){.sample = sample, .category = category, .weight = weight};
    f->hinge.rows = f->rows;
}

static const float *get(const struct jc_safetensors *file, const char *name, const char *key, size_t rank,
                        const size_t *shape)
{
    char full[64];
    const float *data = NULL;
    snprintf(full, sizeof(full), "%s.%s", name, key);
    REQUIRE_OK(jc_safetensors_get_f32(file, full, rank, shape, &data, &err));
    return data;
}

struct recorded {
    const char *name;
    size_t n_texts, n_rows, n_categories, batch;
};

/* Losses step by step, as a curve of epochs of one step each cannot be had: of all steps as one epoch. */
static void check_recorded(const struct jc_safetensors *file, const struct recorded *recorded, unsigned n_threads)
{
    enum { DIM = 8 };
    size_t n_steps = recorded->n_rows / recorded->batch;
    const float *vectors = get(file, recorded->name, "vectors", 2, (size_t[]){recorded->n_texts, DIM});
    const float *rows = get(file, recorded->name, "rows", 2, (size_t[]){recorded->n_rows, 3});
    const float *start = get(file, recorded->name, "start", 2, (size_t[]){recorded->n_categories, DIM});
    const float *after = get(file, recorded->name, "after", 2, (size_t[]){recorded->n_categories, DIM});
    const float *losses = get(file, recorded->name, "losses", 1, &n_steps);
    struct fixture f = {.hinge = {.n_categories = recorded->n_categories,
                                  .dim = DIM,
                                  .epochs = 1,
                                  .batch = recorded->batch,
                                  .margin = 0.2F,
                                  .learning_rate = 5e-3F,
                                  .n_threads = n_threads}};
    double weight = 0, loss = 0;
    for (size_t i = 0; i < recorded->n_rows; i++) {
        add_row(&f, vectors, (uint32_t)rows[3 * i], (uint32_t)rows[3 * i + 1], rows[3 * i + 2]);
        weight += (double)rows[3 * i + 2];
    }
    for (size_t i = 0; i < n_steps; i++)
        loss += (double)losses[i] * (double)recorded->batch;
    float table[MAX_TABLE];
    memcpy(table, start, recorded->n_categories * DIM * sizeof(*table));
    struct jc_curve curve = {0};
    REQUIRE_OK(jc_hinge_train(&f.hinge, table, &curve, &err));
    CHECK_NEAR(curve.train[0], loss / weight, 1e-5);
    CHECK(isnan(curve.validation[0]));
    for (size_t i = 0; i < recorded->n_categories * DIM; i++)
        CHECK_NEAR(table[i], after[i], 2e-5);
    jc_curve_finish(&curve);
}

static void test_recorded(void)
{
    static const struct recorded mixed = {"mixed", 9, 96, 5, 4}, sleepy = {"sleepy", 4, 640, 3, 1};
    const char *root = getenv("JOBCODE_SOURCE_ROOT");
    char path[PATH_MAX];
    REQUIRE(root);
    snprintf(path, sizeof(path), "%s/tests/golden/contrastive.safetensors", root);
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    REQUIRE_OK(jc_safetensors_open(path, &file, &err));
    for (unsigned n_threads = 1; n_threads <= 7; n_threads += 2) {
        check_recorded(file, &mixed, n_threads);
        check_recorded(file, &sleepy, n_threads);
    }
}

/* The mean loss of rows[n], in double. */
static double compute_loss(const struct fixture *f, const struct jc_hinge_row *rows, size_t n, const double *table)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double right = 0, wrong = -INFINITY;
        for (size_t c = 0; c < f->hinge.n_categories; c++) {
            double dot = 0, squares = 0, length = 0;
            for (size_t d = 0; d < f->hinge.dim; d++) {
                double w = table[c * f->hinge.dim + d], x = (double)rows[i].sample->vector[d];
                dot += w * x;
                squares += w * w;
                length += x * x;
            }
            double cosine = dot / sqrt(squares * length);
            bool is_code = false;
            for (uint32_t j = 0; j < rows[i].sample->n_codes; j++)
                is_code |= rows[i].sample->codes[j] == c;
            if (c == rows[i].category)
                right = cosine;
            if (!is_code)
                wrong = fmax(wrong, cosine);
        }
        sum += (double)rows[i].weight * fmax(0, (double)f->hinge.margin - right + wrong);
    }
    return sum / (double)n;
}

/* A step of Adam by numerical gradients. */
static void step(const struct fixture *f, const struct jc_hinge_row *rows, size_t n, size_t i_step, double *table,
                 double *m, double *v)
{
    const double h = 1e-6;
    size_t size = f->hinge.n_categories * f->hinge.dim;
    double gradient[MAX_TABLE];
    for (size_t i = 0; i < size; i++) {
        double before = table[i];
        table[i] = before + h;
        double above = compute_loss(f, rows, n, table);
        table[i] = before - h;
        gradient[i] = (above - compute_loss(f, rows, n, table)) / (2 * h);
        table[i] = before;
    }
    for (size_t i = 0; i < size; i++) {
        m[i] = 0.9 * m[i] + 0.1 * gradient[i];
        v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
        double m_hat = m[i] / (1 - pow(0.9, (double)i_step)), v_hat = v[i] / (1 - pow(0.999, (double)i_step));
        table[i] -= (double)f->hinge.learning_rate * m_hat / (sqrt(v_hat) + 1e-8);
    }
}

/* Vectors that are not of length 1 either, a last batch that is smaller, more threads than categories. */
static void test_random(uint64_t seed, unsigned n_threads)
{
    enum { DIM = 6, N = 5, TEXTS = 9, ROWS = 14, BATCH = 4, EPOCHS = 3 };
    struct fixture f = {.hinge = {.n_categories = N,
                                  .dim = DIM,
                                  .epochs = EPOCHS,
                                  .batch = BATCH,
                                  .margin = 0.3F,
                                  .learning_rate = 0.01F,
                                  .n_threads = n_threads}};
    struct jc_rng rng = jc_rng_seeded(seed);
    float vectors[TEXTS * DIM], table[N * DIM];
    double exact[N * DIM], m[N * DIM] = {0}, v[N * DIM] = {0};
    for (size_t i = 0; i < TEXTS * DIM; i++)
        vectors[i] = (float)jc_rng_unit(&rng) * 2 - 1;
    for (size_t i = 0; i < N * DIM; i++)
        exact[i] = (double)(table[i] = (float)jc_rng_unit(&rng) * 2 - 1);
    for (size_t i = 0; i < ROWS; i++)
        add_row(&f, vectors, (uint32_t)(i % TEXTS), (uint32_t)(jc_rng_next(&rng) % N), i % 3 == 0 ? 2 : 0.5F);
    f.hinge.watched = f.rows;
    f.hinge.n_watched = ROWS - 3;
    struct jc_curve curve = {0};
    REQUIRE_OK(jc_hinge_train(&f.hinge, table, &curve, &err));
    REQUIRE(curve.n_epochs == EPOCHS);
    double watched_weight = 0;
    for (size_t i = 0; i < ROWS - 3; i++)
        watched_weight += (double)f.rows[i].weight;
    for (size_t epoch = 0, i_step = 1; epoch < EPOCHS; epoch++) {
        double loss = 0, weight = 0;
        for (size_t begin = 0; begin < ROWS; begin += BATCH, i_step++) {
            size_t n = begin + BATCH < ROWS ? BATCH : ROWS - begin;
            loss += (double)n * compute_loss(&f, f.rows + begin, n, exact);
            for (size_t i = begin; i < begin + n; i++)
                weight += (double)f.rows[i].weight;
            step(&f, f.rows + begin, n, i_step, exact, m, v);
        }
        CHECK_NEAR(curve.train[epoch], loss / weight, 1e-4);
        if (epoch == EPOCHS - 1)
            CHECK_NEAR(curve.validation[epoch], (ROWS - 3) * compute_loss(&f, f.rows, ROWS - 3, exact) / watched_weight,
                       1e-4);
    }
    for (size_t i = 0; i < N * DIM; i++)
        CHECK_NEAR(table[i], exact[i], 2e-4);
    jc_curve_finish(&curve);
}

/* One category has no negative, and so no loss. */
static void test_one_category(void)
{
    const float vector[] = {0.6F, 0.8F};
    struct fixture f = {
        .hinge = {.n_categories = 1, .dim = 2, .epochs = 2, .batch = 3, .margin = 0.2F, .learning_rate = 0.1F}};
    float table[] = {1, -2};
    struct jc_curve curve = {0};
    add_row(&f, vector, 0, 0, 1);
    REQUIRE_OK(jc_hinge_train(&f.hinge, table, &curve, &err));
    CHECK(table[0] == 1 && table[1] == -2);
    CHECK(curve.train[0] == 0 && curve.train[1] == 0);
    jc_curve_finish(&curve);
}

int main(void)
{
    test_recorded();
    for (uint64_t seed = 1; seed <= 4; seed++)
        for (unsigned n_threads = 1; n_threads <= 8; n_threads += 7)
            test_random(seed, n_threads);
    test_one_category();
    return check_finish();
}
