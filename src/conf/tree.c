/* libyaml's events to a tree. See tree.h. */
#include "conf/tree.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one; zeroed = none */
    const char *name;
    size_t n_nodes;
    struct jc_err *err;
};

void jc_node_destroy(struct jc_node *node)
{
    if (!node)
        return;
    for (struct jc_node *child = node->first, *next; child; child = next) {
        next = child->next;
        jc_node_destroy(child);
    }
    free(node->text);
    free(node->key);
    free(node);
}

bool jc_node_is_null(const struct jc_node *node)
{
    return node->kind == JC_NODE_SCALAR && node->plain &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static void reader_finish(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->yaml);
}

/* Fails at the place of the current event. */
static jc_code refuse(struct reader *reader, const char *text)
{
    const yaml_mark_t *mark = &reader->event.start_mark;
    return jc_fail(reader->err, JC_E_INVALID, "%s:%zu:%zu: %s", reader->name, mark->line + 1, mark->column + 1, text);
}

static jc_code refuse_syntax(struct reader *reader)
{
    const yaml_parser_t *yaml = &reader->yaml;
    const char *problem = yaml->problem ? yaml->problem : "not YAML";
    if (yaml->error == YAML_MEMORY_ERROR)
        return jc_fail(reader->err, JC_E_NOMEM, "out of memory");
    if (yaml->error == YAML_READER_ERROR)
        return jc_fail(reader->err, JC_E_INVALID, "%s: byte %zu: %s", reader->name, yaml->problem_offset, problem);
    return jc_fail(reader->err, JC_E_INVALID, "%s:%zu:%zu: %s%s%s", reader->name, yaml->problem_mark.line + 1,
                   yaml->problem_mark.column + 1, yaml->context ? yaml->context : "", yaml->context ? ": " : "",
                   problem);
}

/* Moves on to the next event and refuses what no configuration needs. */
static jc_code read_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->yaml, &reader->event))
        return refuse_syntax(reader);
    const yaml_event_t *event = &reader->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(reader, "aliases are not supported");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return refuse(reader, "anchors are not supported");
    return tag ? refuse(reader, "tags are not supported") : JC_OK;
}

/* The current scalar event's text. */
static jc_code copy_scalar(struct reader *reader, char **ret_text)
{
    const char *value = (const char *)reader->event.data.scalar.value;
    if (strlen(value) != reader->event.data.scalar.length)
        return refuse(reader, "a NUL character");
    char *text = strdup(value);
    if (!text)
        return jc_fail(reader->err, JC_E_NOMEM, "out of memory");
    *ret_text = text;
    return JC_OK;
}

static void add_child(struct jc_node *parent, struct jc_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* The current event is a mapping's key: its text and place into *ret_key. */
static jc_code parse_key(struct reader *reader, const struct jc_node *mapping, struct jc_node *ret_key)
{
    if (reader->event.type != YAML_SCALAR_EVENT)
        return refuse(reader, "a key must be plain text");
    ret_key->key_line = reader->event.start_mark.line + 1;
    ret_key->key_column = reader->event.start_mark.column + 1;
    jc_code code = copy_scalar(reader, &ret_key->key);
    if (code)
        return code;
    if (!*ret_key->key)
        return refuse(reader, "an empty key");
    for (const struct jc_node *other = mapping->first; other; other = other->next)
        if (strcmp(other->key, ret_key->key) == 0)
            return jc_fail(reader->err, JC_E_INVALID, "%s:%zu:%zu: key '%s' was already given in line %zu",
                           reader->name, ret_key->key_line, ret_key->key_column, ret_key->key, other->key_line);
    return JC_OK;
}

static jc_code parse_value(struct reader *reader, unsigned depth, struct jc_node *node);

/* Reads the children of `parent` up to the event that ends it. Recursion ends at JC_NODE_MAX_DEPTH. */
static jc_code parse_children(struct reader *reader, unsigned depth, struct jc_node *parent)
{
    bool is_mapping = parent->kind == JC_NODE_MAPPING;
    for (;;) {
        jc_code code = read_event(reader);
        if (code)
            return code;
        if (reader->event.type == (is_mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT))
            return JC_OK;
        JC_AUTO(jc_node) struct jc_node *child = calloc(1, sizeof(*child));
        if (!child)
            return jc_fail(reader->err, JC_E_NOMEM, "out of memory");
        if (is_mapping) {
            code = parse_key(reader, parent, child);
            if (!code)
                code = read_event(reader);
        }
        if (!code)
            code = parse_value(reader, depth, child);
        if (code)
            return code;
        add_child(parent, TAKE(child));
    }
}

/* Reads the value that the current event begins into *node. */
static jc_code parse_value(struct reader *reader, unsigned depth, struct jc_node *node)
{
    if (++reader->n_nodes > JC_NODE_MAX_COUNT)
        return refuse(reader, "more values than any configuration has");
    if (depth > JC_NODE_MAX_DEPTH)
        return refuse(reader, "nested too deeply");
    node->line = reader->event.start_mark.line + 1;
    node->column = reader->event.start_mark.column + 1;
    if (reader->event.type == YAML_SCALAR_EVENT) {
        node->kind = JC_NODE_SCALAR;
        node->plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        return copy_scalar(reader, &node->text);
    }
    node->kind = reader->event.type == YAML_MAPPING_START_EVENT ? JC_NODE_MAPPING : JC_NODE_SEQUENCE;
    return parse_children(reader, depth + 1, node);
}

/* After the start of the stream: nothing, or one document that is a mapping or empty. */
static jc_code parse_stream(struct reader *reader, struct jc_node **ret_root)
{
    jc_code code = read_event(reader); /* the stream's start */
    if (!code)
        code = read_event(reader); /* a document's start, or the stream's end */
    if (code)
        return code;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        *ret_root = NULL;
        return JC_OK;
    }
    JC_AUTO(jc_node) struct jc_node *root = calloc(1, sizeof(*root));
    if (!root)
        return jc_fail(reader->err, JC_E_NOMEM, "out of memory");
    code = read_event(reader);
    if (!code)
        code = parse_value(reader, 0, root);
    if (!code)
        code = read_event(reader); /* the document's end */
    if (!code)
        code = read_event(reader);
    if (code)
        return code;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        return refuse(reader, "a second document");
    if (root->kind != JC_NODE_MAPPING && !jc_node_is_null(root))
        return jc_fail(reader->err, JC_E_INVALID, "%s:%zu:%zu: not a mapping of keys to values", reader->name,
                       root->line, root->column);
    *ret_root = root->kind == JC_NODE_MAPPING ? TAKE(root) : NULL;
    return JC_OK;
}

jc_code jc_node_parse(const char *name, const char *data, size_t n, struct jc_node **ret_root, struct jc_err *err)
{
    __attribute__((cleanup(reader_finish))) struct reader reader = {.name = name, .err = err};
    if (!yaml_parser_initialize(&reader.yaml))
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.yaml, (const unsigned char *)data, n);
    return parse_stream(&reader, ret_root);
}
