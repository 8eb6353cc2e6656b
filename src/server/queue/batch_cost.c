/* A line through the times of batches. See batch_cost.h. */
#include "server/queue/batch_cost.h"

#include <stdbool.h>
#include <stdint.h>

/* Batches, faded, and how far their tokens differ (the standard deviation over the mean), before a line through them
 * says anything. */
#define LEAST_WEIGHT 16
#define LEAST_SPREAD (1.0 / 4)

/* Fading takes the same share of every weight and so leaves the means where they are. */
void jc_batch_cost_add(struct jc_batch_cost *cost, size_t n_tokens, double ns)
{
    double dx = (double)n_tokens - cost->tokens, dy = ns - cost->ns;
    cost->weight = cost->weight * JC_BATCH_COST_MEMORY + 1;
    cost->tokens += dx / cost->weight;
    cost->ns += dy / cost->weight;
    double dx_new = (double)n_tokens - cost->tokens;
    cost->sxx = cost->sxx * JC_BATCH_COST_MEMORY + dx * dx_new;
    cost->sxy = cost->sxy * JC_BATCH_COST_MEMORY + dy * dx_new;
}

static bool is_known(const struct jc_batch_cost *cost)
{
    double least = LEAST_SPREAD * cost->tokens;
    return cost->weight >= LEAST_WEIGHT && cost->sxx >= cost->weight * least * least;
}

struct jc_batch_line jc_batch_cost_line(const struct jc_batch_cost *cost)
{
    if (!is_known(cost))
        return (struct jc_batch_line){0};
    if (cost->sxy <= 0)
        return (struct jc_batch_line){.fixed_ns = cost->ns};
    double slope = cost->sxy / cost->sxx, fixed = cost->ns - slope * cost->tokens;
    if (fixed > 0)
        return (struct jc_batch_line){.fixed_ns = fixed, .token_ns = slope};
    double xy = cost->sxy + cost->weight * cost->tokens * cost->ns;
    double xx = cost->sxx + cost->weight * cost->tokens * cost->tokens;
    return (struct jc_batch_line){.token_ns = xy / xx};
}

double jc_batch_cost_ns(const struct jc_batch_cost *cost, size_t n_tokens)
{
    struct jc_batch_line line = jc_batch_cost_line(cost);
    return line.fixed_ns + line.token_ns * (double)n_tokens;
}

size_t jc_batch_cost_preferred(const struct jc_batch_cost *cost)
{
    /* a = share * (a + b * n) */
    struct jc_batch_line line = jc_batch_cost_line(cost);
    double n = line.fixed_ns * (1 / JC_BATCH_COST_FIXED_SHARE - 1);
    return n == 0 ? 0 : n >= line.token_ns * 0x1p53 ? SIZE_MAX : (size_t)(n / line.token_ns);
}
