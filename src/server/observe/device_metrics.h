/* What GPUs did, for the metrics page: the ONE table of it is in device_metrics.c. Threads: any. */
#ifndef JC_SERVER_OBSERVE_DEVICE_METRICS_H
#define JC_SERVER_OBSERVE_DEVICE_METRICS_H

#include "base/buf.h"

void jc_device_put_metrics(struct jc_buf *out);

#endif
