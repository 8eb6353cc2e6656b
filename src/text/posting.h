/*
 * From a job posting to the text the encoder sees: the ONE function that serving and training share.
 *
 * HTML tags go (block tags become a space; script and style go with what they hold), character references are decoded
 * (&amp; &#233; &#xe9; and the named ones), URLs and e-mail addresses go, white space collapses to one blank and is
 * trimmed. Text without any letter or digit counts as empty. Which part of the posting is used, a model says.
 */
#ifndef JC_TEXT_POSTING_H
#define JC_TEXT_POSTING_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum jc_posting_part {
    JC_POSTING_TITLE,      /* the title or, where nothing of it is left, the body: the study's rule */
    JC_POSTING_BODY,       /* the body or, where nothing of it is left, the title */
    JC_POSTING_TITLE_BODY, /* "title. body", or the one that there is */
};

/* "title", "body", "title_body". Static storage. */
const char *jc_posting_part_name(enum jc_posting_part part);

/* Errors: INVALID, listing the names. */
JC_MUST_CHECK jc_code jc_posting_part_parse(const char *name, enum jc_posting_part *ret_part, struct jc_err *err);

struct jc_posting {
    const char *title; /* UTF-8, may be NULL with n_title 0 */
    size_t n_title;    /* bytes */
    const char *body;  /* UTF-8, possibly HTML; may be NULL */
    size_t n_body;     /* bytes */
};

/*
 * Clears *text and writes the model's input into it; empty where the posting has no usable text.
 * Errors: INVALID ("title: invalid UTF-8 at byte 12"), NOMEM. Threads: any (one per buffer).
 */
JC_MUST_CHECK jc_code jc_posting_text(const struct jc_posting *posting, enum jc_posting_part part, struct jc_buf *text,
                                      struct jc_err *err);

#endif
