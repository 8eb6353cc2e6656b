/*
 * One line of JSON lines: the members of a flat object, one after the other. Strict (RFC 8259), without building a
 * tree: memory is the caller's buffer. Internal to records. Threads: one at a time.
 */
#ifndef JC_DATA_JSONL_H
#define JC_DATA_JSONL_H

#include "data/records.h"

enum jc_json_kind { JC_JSON_STRING, JC_JSON_NUMBER, JC_JSON_NULL, JC_JSON_BOOL, JC_JSON_ARRAY, JC_JSON_OBJECT };

struct jc_json_member {
    struct jc_field key;
    struct jc_field value; /* of a string or a number; else empty */
    enum jc_json_kind kind;
};

struct jc_jsonl {
    const char *row, *at, *end;
    char *to; /* where the next decoded text goes */
    bool begun;
};

/* `row`: valid UTF-8 without NUL. `to`: room for n + 1 bytes, where keys and values are written. */
void jc_jsonl_init(struct jc_jsonl *jsonl, const char *row, size_t n, char *to);

/* The next member, or *ret_more = false behind the last. Errors: INVALID, "invalid JSON at column 7: ...". */
JC_MUST_CHECK jc_code jc_jsonl_next(struct jc_jsonl *jsonl, bool *ret_more, struct jc_json_member *ret_member,
                                    struct jc_err *err);

/* "an array", for a message. Static storage. */
const char *jc_json_kind_name(enum jc_json_kind kind);

#endif
