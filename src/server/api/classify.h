/* The classify endpoint's data, from the parsed request to the finished answer. See classify.c and codec.h. */
#ifndef JC_SERVER_API_CLASSIFY_H
#define JC_SERVER_API_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "server/queue/ticket.h"

/* One posting of the request. */
struct jc_classify_posting {
    char *id;                   /* its JSON text, ready to be echoed; NULL = none given */
    const struct jc_item *item; /* NULL = no usable text */
};

struct jc_classify {
    struct jc_classify_posting *postings; /* [n_postings], in the order sent */
    size_t n_postings;
    bool single;                  /* the request was one posting, not a list */
    struct jc_ticket ticket;      /* the postings with text */
    struct jc_hit *hits;          /* [ticket.n_items][top_n] */
    struct jc_evidence *evidence; /* the same; NULL: the model has no exemplars */
    uint32_t top_n;
    enum jc_level level;
};

/* Frees what the ticket and the postings hold. The ticket is not with the workers. */
void jc_classify_finish(struct jc_classify *classify);

#endif
