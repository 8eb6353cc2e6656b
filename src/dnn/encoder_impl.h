/* Inside dnn/: what encoder.c makes and forward.c runs. */
#ifndef JC_DNN_ENCODER_IMPL_H
#define JC_DNN_ENCODER_IMPL_H

#include "dnn/dnn.h"
#include "dnn/kernels.h"
#include "dnn/linear.h"

/* A layer's four linear layers. */
enum { QKV, OUT, UP, DOWN, N_LINEARS };

struct jc_dnn_layer {
    struct jc_dnn_linear linears[N_LINEARS];
    struct jc_dnn_norm norm1, norm2; /* behind attention, behind the feed-forward part */
};

struct jc_dnn_encoder {
    struct jc_bert bert;
    enum jc_precision precision;
    const struct jc_dnn_kernels *kernels;
    struct jc_dnn_gemms *gemms; /* by the linear layer's place: QKV, ... */
    struct jc_dnn_shape shapes[N_LINEARS];
    float *words;            /* [vocab][hidden] */
    float *positions;        /* [positions][hidden], the type's vector added */
    float *norms;            /* [1 + 2 layers][2][hidden]: what the norms point into */
    struct jc_dnn_norm norm; /* of the embeddings */
    struct jc_dnn_layer *layers;
};

#endif
