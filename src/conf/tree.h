/*
 * A YAML document as a tree of mappings, sequences and scalars that know their line and column. The subset a
 * configuration needs: one document, keys that are plain text, no anchors, aliases or tags, no key twice in a mapping,
 * and limits on depth and size. What a scalar means is the reader's business: `yes` is the text "yes".
 * Threads: a parsed tree is immutable.
 */
#ifndef JC_CONF_TREE_H
#define JC_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

#define JC_NODE_MAX_DEPTH 32
#define JC_NODE_MAX_COUNT 4096

enum jc_node_kind { JC_NODE_SCALAR, JC_NODE_SEQUENCE, JC_NODE_MAPPING };

struct jc_node {
    enum jc_node_kind kind;
    size_t line, column; /* of the value, from 1 */
    char *text;          /* a scalar's; else NULL */
    bool plain;          /* a scalar without quotes */
    char *key;           /* in a mapping; else NULL */
    size_t key_line, key_column;
    struct jc_node *first, *last; /* children */
    struct jc_node *next;         /* sibling */
};

/* Parses YAML in UTF-8. `name` stands in front of an error's line and column. *ret_root is NULL for a document without
 * content, else a mapping. Errors: INVALID, NOMEM. */
JC_MUST_CHECK jc_code jc_node_parse(const char *name, const char *data, size_t n, struct jc_node **ret_root,
                                    struct jc_err *err);
void jc_node_destroy(struct jc_node *node);
JC_DEFINE_AUTO(jc_node)

/* A scalar with nothing in it, `~` or `null`, without quotes. */
bool jc_node_is_null(const struct jc_node *node);

#endif
