/* A checkpoint's tensors by name, checked against what the encoder's configuration says they are. */
#ifndef JC_DNN_CHECKPOINT_H
#define JC_DNN_CHECKPOINT_H

#include "base/err.h"
#include "base/tensor.h"

struct jc_dnn_tensors {
    const struct jc_tensor *tensors;
    size_t n_tensors;
};

/* The F32 tensor "<prefix><name>", or with "bert." before that, of exactly [rows][columns]; columns 0: of [rows]. Its
 * memory is the checkpoint's. Errors: FORMAT, naming the tensor. */
JC_MUST_CHECK jc_code jc_dnn_tensors_get(const struct jc_dnn_tensors *tensors, const char *prefix, const char *name,
                                         size_t rows, size_t columns, const float **ret_data, struct jc_err *err);

#endif
