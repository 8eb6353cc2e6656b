/* Inside model/: the classifier as its sessions see it. */
#ifndef JC_MODEL_CLASSIFIER_IMPL_H
#define JC_MODEL_CLASSIFIER_IMPL_H

#include "model/classifier.h"
#include "model/encoder.h"
#include "model/ranker.h"
#include "text/tokenizer.h"

struct jc_classifier {
    struct jc_bundle *bundle;
    struct jc_tokenizer *tokenizer;
    struct jc_encoder *encoder;
    struct jc_groups *groups;
    struct jc_ranker *ranker;  /* NULL: the encoder, or this head, has none */
    enum jc_posting_part part; /* of a posting that is encoded */
};

/* The most texts that a session has between encoder and ranking. */
size_t jc_session_chunk(const struct jc_session *session);

#endif
