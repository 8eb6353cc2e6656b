/* JSON of the classify endpoint: request text -> postings, answer -> text. Threads: any. */
#ifndef JC_SERVER_API_CODEC_H
#define JC_SERVER_API_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/classifier.h"
#include "server/api/classify.h"
#include "server/api/problem.h"
#include "server/config.h"

struct jc_json;

/* A parsed request. Texts point into `document`. Zero-initialise; free with jc_codec_request_finish. */
struct jc_codec_posting {
    struct jc_posting posting;
    char *id; /* its JSON text; NULL = none */
};
struct jc_codec_request {
    struct jc_codec_posting *postings;
    size_t n_postings;
    bool single;
    uint32_t top_n;
    enum jc_level level;
    struct jc_json *document;
};

/*
 * Parses {"postings":[{"id","title","body"}],"top_n","level"} or {"id","title","body","top_n","level"} and checks every
 * limit.
 * Errors: INVALID with *problem filled: line and column of malformed JSON, else the JSON pointer of the member; NOMEM,
 * likewise.
 */
JC_MUST_CHECK jc_code jc_codec_parse(const char *text, size_t n, const struct jc_server_config *config,
                                     struct jc_codec_request *request, struct jc_problem *problem);
void jc_codec_request_finish(struct jc_codec_request *request);

/* Checks one posting's lengths. pointer: the JSON pointer of the posting ("" or "/postings/3").
 * Errors: INVALID with *problem filled. */
JC_MUST_CHECK jc_code jc_codec_check_posting(const struct jc_posting *posting, const char *pointer,
                                             const struct jc_server_config *config, struct jc_problem *problem);

/* A cosine with four decimals, as printf("%.4f") writes it (but "0.0000" without a sign). */
void jc_codec_put_score(struct jc_buf *out, float score);

/* The answer of a classification that succeeded. */
void jc_codec_put_answer(const struct jc_classify *classify, const struct jc_classifier *classifier,
                         struct jc_buf *out);

#endif
