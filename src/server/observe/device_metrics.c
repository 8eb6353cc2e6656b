/* What GPUs did. See device_metrics.h. */
#include "server/observe/device_metrics.h"

#include "cuda/cuda.h"
#include "server/observe/metrics.h"

void jc_device_put_metrics(struct jc_buf *out)
{
    const struct jc_cuda_counts counts = jc_cuda_counts_get();
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"jobcode_device_memory_bytes", "gauge", "Memory that the models hold on GPUs.", (double)counts.device_bytes},
        {"jobcode_device_batches_total", "counter", "Batches run on GPUs.", (double)counts.batches},
        {"jobcode_device_tokens_total", "counter", "Tokens of these batches.", (double)counts.rows},
        {"jobcode_device_batch_seconds_total", "counter", "Time of these batches, copies there and back included.",
         (double)counts.batch_ns / 1e9},
        {"jobcode_device_graph_launches_total", "counter", "Of these batches, those launched as one recorded graph.",
         (double)counts.graph_launches},
        {"jobcode_device_shrinks_total", "counter",
         "Buckets given up because a GPU was full: batches are smaller until the model is loaded again.",
         (double)counts.shrinks},
        {"jobcode_device_fallbacks_total", "counter", "Texts encoded again on the CPU: f16 did not hold their vectors.",
         (double)counts.not_finite},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        jc_metrics_put_head(out, rows[i].name, rows[i].help, rows[i].type);
        jc_metrics_put_sample(out, rows[i].name, "", rows[i].value);
    }
}
