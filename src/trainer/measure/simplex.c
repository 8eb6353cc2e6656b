/* Nelder and Mead's search. See simplex.h. */
#include "trainer/measure/simplex.h"

#include <stdbool.h>
#include <string.h>

struct corner {
    double x[JC_SIMPLEX_MAX], value;
};

struct search {
    double (*f)(void *context, const double *x);
    void *context;
    size_t n;
    struct corner corners[JC_SIMPLEX_MAX + 1]; /* [n + 1], least value first */
    double centre[JC_SIMPLEX_MAX];             /* of all but the last */
    int n_calls;
};

static void evaluate(struct search *search, struct corner *corner)
{
    corner->value = search->f(search->context, corner->x);
    search->n_calls++;
}

/* Puts corner i, whose value is new, into its place. */
static void sort_in(struct search *search, size_t i)
{
    struct corner corner = search->corners[i];
    for (; i > 0 && search->corners[i - 1].value > corner.value; i--)
        search->corners[i] = search->corners[i - 1];
    search->corners[i] = corner;
}

static void find_centre(struct search *search)
{
    for (size_t j = 0; j < search->n; j++) {
        double sum = 0;
        for (size_t i = 0; i < search->n; i++)
            sum += search->corners[i].x[j];
        search->centre[j] = sum / (double)search->n;
    }
}

/* The point on the line from the centre to the last corner at `factor` of the way. */
static struct corner try(struct search *search, double factor)
{
    struct corner corner = {.value = 0};
    const double *last = search->corners[search->n].x;
    for (size_t j = 0; j < search->n; j++)
        corner.x[j] = search->centre[j] + factor * (last[j] - search->centre[j]);
    evaluate(search, &corner);
    return corner;
}

/* All corners half way to the first. */
static void shrink(struct search *search)
{
    for (size_t i = 1; i <= search->n; i++) {
        for (size_t j = 0; j < search->n; j++)
            search->corners[i].x[j] = (search->corners[0].x[j] + search->corners[i].x[j]) / 2;
        evaluate(search, &search->corners[i]);
        sort_in(search, i);
    }
}

static void take_step(struct search *search)
{
    struct corner *last = &search->corners[search->n];
    find_centre(search);
    struct corner reflected = try(search, -1), other;
    if (reflected.value < search->corners[0].value) {
        other = try(search, -2);
        *last = other.value < reflected.value ? other : reflected;
    } else if (reflected.value < last[-1].value) {
        *last = reflected;
    } else {
        bool is_better = reflected.value < last->value;
        other = try(search, is_better ? -0.5 : 0.5);
        if (other.value >= (is_better ? reflected.value : last->value)) {
            shrink(search);
            return;
        }
        *last = other;
    }
    sort_in(search, search->n);
}

double jc_simplex_search(double (*f)(void *context, const double *x), void *context, size_t n, double step,
                         double tolerance, int max_calls, double *x)
{
    struct search search = {.f = f, .context = context, .n = n};
    for (size_t i = 0; i <= n; i++) {
        memcpy(search.corners[i].x, x, n * sizeof(*x));
        if (i > 0)
            search.corners[i].x[i - 1] += step;
        evaluate(&search, &search.corners[i]);
    }
    for (size_t i = 1; i <= n; i++)
        sort_in(&search, i);
    while (search.n_calls < max_calls && search.corners[n].value - search.corners[0].value > tolerance)
        take_step(&search);
    memcpy(x, search.corners[0].x, n * sizeof(*x));
    return search.corners[0].value;
}
