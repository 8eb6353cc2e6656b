/*
 * What it costs to make probabilities of a text's scores over 1,016 categories, on one core: what ranking categories
 * takes (the norm), what ranking groups takes (all probabilities), and the plain softmax's sum. Prints one JSON object
 * a line; random scores.
 */
#include "base/clock.h"
#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "model/scoring.h"

enum { N_CATEGORIES = 1016, N_TEXTS = 1024, N_ROUNDS = 15 };

static float probabilities[N_CATEGORIES];

static float run_norm(const struct jc_head *head, const float *scores)
{
    return jc_scoring_norm(head, scores).mass;
}

static float run_probabilities(const struct jc_head *head, const float *scores)
{
    jc_scoring_probabilities(head, scores, probabilities);
    return probabilities[0];
}

static float run_log_norm(const struct jc_head *head, const float *scores)
{
    return jc_scoring_log_norm(scores, head->n_categories, head->sharpness);
}

int main(void)
{
    static const struct {
        const char *name;
        float (*run)(const struct jc_head *head, const float *scores);
    } rows[] = {{"norm", run_norm}, {"probabilities", run_probabilities}, {"softmax", run_log_norm}};
    const struct jc_head head = {.n_categories = N_CATEGORIES, .sharpness = 20, .saturation = 3, .power = 1.5F};
    struct jc_rng rng = jc_rng_seeded(1);
    JC_AUTO_FREE float *scores = calloc((size_t)N_TEXTS * N_CATEGORIES, sizeof(*scores));
    REQUIRE(scores);
    for (size_t i = 0; i < (size_t)N_TEXTS * N_CATEGORIES; i++)
        scores[i] = (float)jc_rng_unit(&rng);
    for (size_t r = 0; r < JC_COUNT(rows); r++) {
        uint64_t best_ns = UINT64_MAX;
        float check = 0;
        for (int round = 0; round < N_ROUNDS; round++) {
            uint64_t start_ns = jc_clock_ns();
            for (size_t i = 0; i < N_TEXTS; i++)
                check += rows[r].run(&head, scores + i * N_CATEGORIES);
            uint64_t ns = jc_clock_ns() - start_ns;
            best_ns = ns < best_ns ? ns : best_ns;
        }
        printf("{\"what\":\"%s\",\"categories\":%d,\"us_a_text\":%.3f,\"check\":%g}\n", rows[r].name, N_CATEGORIES,
               (double)best_ns / 1e3 / N_TEXTS, (double)check);
    }
    return 0;
}
