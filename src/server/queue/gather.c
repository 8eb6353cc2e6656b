/* The rule of waiting on a shared device. See gather.h. */
#include "server/queue/gather.h"

size_t jc_gather_preferred(const struct jc_gather *gather)
{
    size_t preferred = jc_batch_cost_preferred(&gather->cost);
    return preferred < gather->batch_tokens ? preferred : gather->batch_tokens;
}

bool jc_gather_is_small(const struct jc_gather *gather, size_t n_titles, size_t n_tokens)
{
    return gather->device.n_running && n_titles && n_titles < gather->batch_titles &&
           n_tokens < jc_gather_preferred(gather);
}

uint64_t jc_gather_latest_start(const struct jc_gather *gather, size_t n_tokens, uint64_t deadline_ns)
{
    double ns = jc_batch_cost_ns(&gather->cost, n_tokens);
    return ns < (double)deadline_ns ? deadline_ns - (uint64_t)ns : 0;
}

uint64_t jc_gather_until(const struct jc_gather *gather, const struct jc_gather_queue *queue)
{
    uint64_t latest_ns = jc_gather_latest_start(gather, queue->n_tokens, queue->deadline_ns);
    uint64_t half_ns = (uint64_t)(jc_batch_cost_ns(&gather->cost, queue->n_tokens) / 2);
    return latest_ns > queue->oldest_ns && latest_ns - queue->oldest_ns > half_ns ? queue->oldest_ns + half_ns
                                                                                  : latest_ns;
}

void jc_gather_learn(struct jc_gather *gather, const struct jc_device_span *span, size_t n_tokens, uint64_t busy_ns,
                     uint64_t now_ns)
{
    double share = jc_device_time_end(&gather->device, span, now_ns);
    double ns = (double)busy_ns * share;
    if (n_tokens && ns > 0)
        jc_batch_cost_add(&gather->cost, n_tokens, ns);
}
