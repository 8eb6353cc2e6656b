/* manifest.json to struct jc_manifest and back. models/README.md is the contract. */
#include "artifact/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "artifact/json.h"
#include "base/file.h"
#include "base/pointer.h"

#define MANIFEST_MAX (1u << 20) /* bytes */
#define ITEMS_MAX 10000         /* files, canaries or metrics */
#define POINTER_MAX 192         /* bytes of a JSON pointer in an error */

enum member_type { MEMBER_TEXT, MEMBER_OPTIONAL_TEXT, MEMBER_SHA256, MEMBER_COUNT };

/* A scalar member of a JSON object and where it goes. */
struct member {
    const char *name;
    enum member_type type;
    size_t offset; /* in struct jc_manifest */
    size_t max;    /* of a MEMBER_COUNT; the least is 1 */
};

#define AT(field) offsetof(struct jc_manifest, field)
static const struct member top_members[] = {
    {"name", MEMBER_TEXT, AT(name), 0},
    {"version", MEMBER_TEXT, AT(version), 0},
    {"taxonomy", MEMBER_TEXT, AT(taxonomy), 0},
    {"method", MEMBER_TEXT, AT(method), 0},
    {"data_version", MEMBER_TEXT, AT(data_version), 0},
    {"attribution", MEMBER_OPTIONAL_TEXT, AT(attribution), 0},
    {"dim", MEMBER_COUNT, AT(dim), 65536},
    {"n_categories", MEMBER_COUNT, AT(n_categories), 10000000},
};
static const struct member encoder_members[] = {
    {"kind", MEMBER_TEXT, AT(encoder.kind), 0},
    {"name", MEMBER_TEXT, AT(encoder.name), 0},
    {"source_sha256", MEMBER_SHA256, AT(encoder.source_sha256), 0},
    {"max_tokens", MEMBER_COUNT, AT(encoder.max_tokens), 1000000},
    {"part", MEMBER_TEXT, AT(encoder.part), 0},
    {"chunks", MEMBER_COUNT, AT(encoder.chunks), 16},
    {"prefix", MEMBER_OPTIONAL_TEXT, AT(encoder.prefix), 0},
};
#undef AT
/* What stands at the top beside top_members. */
static const char *const other_members[] = {"format_version", "encoder", "files", "canaries", "metrics"};

struct jc_manifest *jc_manifest_create(void)
{
    return calloc(1, sizeof(struct jc_manifest));
}

void jc_manifest_destroy(struct jc_manifest *manifest)
{
    if (!manifest)
        return;
    free(manifest->name);
    free(manifest->version);
    free(manifest->taxonomy);
    free(manifest->method);
    free(manifest->data_version);
    free(manifest->attribution);
    free(manifest->encoder.kind);
    free(manifest->encoder.name);
    free(manifest->encoder.part);
    free(manifest->encoder.prefix);
    for (size_t i = 0; i < manifest->n_files; i++)
        free(manifest->files[i].name);
    free(manifest->files);
    for (size_t i = 0; i < manifest->n_canaries; i++) {
        free(manifest->canaries[i].title);
        free(manifest->canaries[i].code);
    }
    free(manifest->canaries);
    for (size_t i = 0; i < manifest->n_metrics; i++)
        free(manifest->metrics[i].name);
    free(manifest->metrics);
    free(manifest);
}

static bool is_sha256(const char *text)
{
    return strlen(text) == JC_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == JC_SHA256_HEX - 1;
}

/* A name inside the bundle's folder that no path can hide in. */
static bool is_file_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= 100 && name[0] != '.' && strcmp(name, "manifest.json") != 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static jc_code copy_text(const json_t *value, bool may_be_empty, const char *pointer, char **ret_text,
                         struct jc_err *err)
{
    if (!json_is_string(value))
        return jc_fail(err, JC_E_FORMAT, "%s: %s", pointer, value ? "not a string" : "missing");
    if (!may_be_empty && json_string_length(value) == 0)
        return jc_fail(err, JC_E_FORMAT, "%s: empty", pointer);
    char *text = strdup(json_string_value(value));
    if (!text)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    free(*ret_text);
    *ret_text = text;
    return JC_OK;
}

static jc_code parse_member(const struct member *member, const json_t *object, const char *parent,
                            struct jc_manifest *manifest, struct jc_err *err)
{
    char pointer[POINTER_MAX];
    jc_pointer_join(pointer, sizeof pointer, parent, member->name);
    const json_t *value = json_object_get(object, member->name);
    void *field = (char *)manifest + member->offset;
    if (member->type == MEMBER_TEXT || member->type == MEMBER_OPTIONAL_TEXT)
        return copy_text(value, member->type == MEMBER_OPTIONAL_TEXT, pointer, field, err);
    if (!value)
        return jc_fail(err, JC_E_FORMAT, "%s: missing", pointer);

    if (member->type == MEMBER_SHA256) {
        const char *text = json_string_value(value);
        if (!text || (*text && !is_sha256(text)))
            return jc_fail(err, JC_E_FORMAT, "%s: neither 64 lower-case hexadecimal digits nor empty", pointer);
        strcpy(field, text);
        return JC_OK;
    }
    json_int_t count = json_integer_value(value); /* 0 for another type */
    if (count < 1 || (uint64_t)count > member->max)
        return jc_fail(err, JC_E_FORMAT, "%s: not an integer from 1 to %zu", pointer, member->max);
    *(size_t *)field = (size_t)count;
    return JC_OK;
}

static bool is_known(const char *name, const struct member *members, size_t n_members, const char *const *others,
                     size_t n_others)
{
    for (size_t i = 0; i < n_members; i++)
        if (strcmp(name, members[i].name) == 0)
            return true;
    for (size_t i = 0; i < n_others; i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    return false;
}

/* Reads `members` from `object`, which may hold these and `others` alone. */
static jc_code parse_members(const struct member *members, size_t n_members, const char *const *others, size_t n_others,
                             json_t *object, const char *parent, struct jc_manifest *manifest, struct jc_err *err)
{
    char pointer[POINTER_MAX];
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *name = json_object_iter_key(i);
        if (!is_known(name, members, n_members, others, n_others))
            return jc_fail(err, JC_E_FORMAT, "%s: unknown member",
                           jc_pointer_join(pointer, sizeof pointer, parent, name));
    }
    for (size_t i = 0; i < n_members; i++) {
        jc_code code = parse_member(&members[i], object, parent, manifest, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code parse_encoder(json_t *encoder, struct jc_manifest *manifest, struct jc_err *err)
{
    if (!json_is_object(encoder))
        return jc_fail(err, JC_E_FORMAT, "/encoder: %s", encoder ? "not an object" : "missing");
    return parse_members(encoder_members, JC_COUNT(encoder_members), NULL, 0, encoder, "/encoder", manifest, err);
}

static jc_code parse_files(json_t *files, struct jc_manifest *manifest, struct jc_err *err)
{
    char pointer[POINTER_MAX];
    if (!json_is_object(files) || json_object_size(files) > ITEMS_MAX)
        return jc_fail(err, JC_E_FORMAT, "/files: %s", files ? "not an object of file names" : "missing");
    for (void *i = json_object_iter(files); i; i = json_object_iter_next(files, i)) {
        const char *name = json_object_iter_key(i), *sha256 = json_string_value(json_object_iter_value(i));
        jc_pointer_join(pointer, sizeof pointer, "/files", name);
        if (!is_file_name(name))
            return jc_fail(err, JC_E_FORMAT, "%s: not the plain name of a file of the bundle", pointer);
        if (!sha256 || !is_sha256(sha256))
            return jc_fail(err, JC_E_FORMAT, "%s: not 64 lower-case hexadecimal digits", pointer);
        jc_code code = jc_manifest_set_file(manifest, name, sha256, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code parse_canaries(const json_t *canaries, struct jc_manifest *manifest, struct jc_err *err)
{
    size_t n = json_array_size(canaries);
    if (!json_is_array(canaries) || n > ITEMS_MAX)
        return jc_fail(err, JC_E_FORMAT, "/canaries: %s", canaries ? "not an array of canaries" : "missing");
    manifest->canaries = calloc(n + 1, sizeof(*manifest->canaries));
    if (!manifest->canaries)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(canaries, i);
        struct jc_manifest_canary *canary = &manifest->canaries[manifest->n_canaries++];
        char parent[40], pointer[POINTER_MAX];
        snprintf(parent, sizeof parent, "/canaries/%zu", i);
        if (json_object_size(item) != 2)
            return jc_fail(err, JC_E_FORMAT, "%s: not an object of title and code", parent);
        jc_code code = copy_text(json_object_get(item, "title"), false,
                                 jc_pointer_join(pointer, sizeof pointer, parent, "title"), &canary->title, err);
        if (!code)
            code = copy_text(json_object_get(item, "code"), false,
                             jc_pointer_join(pointer, sizeof pointer, parent, "code"), &canary->code, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code parse_metrics(json_t *metrics, struct jc_manifest *manifest, struct jc_err *err)
{
    size_t n = json_object_size(metrics);
    if (!json_is_object(metrics) || n > ITEMS_MAX)
        return jc_fail(err, JC_E_FORMAT, "/metrics: %s", metrics ? "not an object of numbers" : "missing");
    manifest->metrics = calloc(n + 1, sizeof(*manifest->metrics));
    if (!manifest->metrics)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (void *i = json_object_iter(metrics); i; i = json_object_iter_next(metrics, i)) {
        const char *name = json_object_iter_key(i);
        const json_t *value = json_object_iter_value(i);
        char pointer[POINTER_MAX];
        if (!json_is_number(value) || !*name)
            return jc_fail(err, JC_E_FORMAT, "%s: not a named number",
                           jc_pointer_join(pointer, sizeof pointer, "/metrics", name));
        struct jc_manifest_metric *metric = &manifest->metrics[manifest->n_metrics++];
        metric->value = json_number_value(value) + 0.0; /* -0 is written as 0 is */
        if (!(metric->name = strdup(name)))
            return jc_fail(err, JC_E_NOMEM, "out of memory");
    }
    return JC_OK;
}

/* The version comes first: a newer format may hold anything else. */
static jc_code parse_format_version(const json_t *root, struct jc_err *err)
{
    const json_t *version = json_object_get(root, "format_version");
    if (!json_is_integer(version))
        return jc_fail(err, JC_E_FORMAT, "/format_version: %s", version ? "not an integer" : "missing");
    if (json_integer_value(version) != JC_MANIFEST_FORMAT)
        return jc_fail(err, JC_E_UNSUPPORTED, "/format_version: %" JSON_INTEGER_FORMAT ", and this program reads %d",
                       json_integer_value(version), JC_MANIFEST_FORMAT);
    return JC_OK;
}

static jc_code parse_root(json_t *root, struct jc_manifest *manifest, struct jc_err *err)
{
    if (!json_is_object(root))
        return jc_fail(err, JC_E_FORMAT, "not a JSON object");
    jc_code code = parse_format_version(root, err);
    if (!code)
        code = parse_members(top_members, JC_COUNT(top_members), other_members, JC_COUNT(other_members), root, "",
                             manifest, err);
    if (!code)
        code = parse_encoder(json_object_get(root, "encoder"), manifest, err);
    if (!code)
        code = parse_files(json_object_get(root, "files"), manifest, err);
    if (!code)
        code = parse_canaries(json_object_get(root, "canaries"), manifest, err);
    if (!code)
        code = parse_metrics(json_object_get(root, "metrics"), manifest, err);
    return code;
}

jc_code jc_manifest_load(const char *path, struct jc_manifest **ret_manifest, struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *json = NULL;
    jc_code code = jc_json_read(path, MANIFEST_MAX, &json, err);
    if (code == JC_E_TOO_LARGE)
        return err->code = JC_E_FORMAT;
    if (code)
        return code;
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    if (!manifest)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    if (parse_root(jc_json_root(json), manifest, err))
        return jc_wrap(err, "%s", path);
    *ret_manifest = TAKE(manifest);
    return JC_OK;
}

static void put_text(struct jc_buf *buf, const char *text)
{
    jc_buf_put_json(buf, text ? text : "", text ? strlen(text) : 0);
}

static void put_members(struct jc_buf *buf, const struct member *members, size_t n_members,
                        const struct jc_manifest *manifest, const char *indent)
{
    for (size_t i = 0; i < n_members; i++) {
        const void *field = (const char *)manifest + members[i].offset;
        jc_buf_printf(buf, "%s\n%s\"%s\": ", i ? "," : "", indent, members[i].name);
        if (members[i].type == MEMBER_COUNT)
            jc_buf_printf(buf, "%zu", *(const size_t *)field);
        else if (members[i].type == MEMBER_SHA256)
            put_text(buf, field);
        else
            put_text(buf, *(char *const *)field);
    }
}

static void put_manifest(struct jc_buf *buf, const struct jc_manifest *manifest)
{
    jc_buf_printf(buf, "{\n  \"format_version\": %d,", JC_MANIFEST_FORMAT);
    put_members(buf, top_members, JC_COUNT(top_members), manifest, "  ");
    jc_buf_puts(buf, ",\n  \"encoder\": {");
    put_members(buf, encoder_members, JC_COUNT(encoder_members), manifest, "    ");
    jc_buf_puts(buf, "\n  },\n  \"files\": {");
    for (size_t i = 0; i < manifest->n_files; i++) {
        jc_buf_puts(buf, i ? ",\n    " : "\n    ");
        put_text(buf, manifest->files[i].name);
        jc_buf_printf(buf, ": \"%s\"", manifest->files[i].sha256);
    }
    jc_buf_puts(buf, manifest->n_files ? "\n  },\n  \"canaries\": [" : "},\n  \"canaries\": [");
    for (size_t i = 0; i < manifest->n_canaries; i++) {
        jc_buf_puts(buf, i ? ",\n    {\"title\": " : "\n    {\"title\": ");
        put_text(buf, manifest->canaries[i].title);
        jc_buf_puts(buf, ", \"code\": ");
        put_text(buf, manifest->canaries[i].code);
        jc_buf_putc(buf, '}');
    }
    jc_buf_puts(buf, manifest->n_canaries ? "\n  ],\n  \"metrics\": {" : "],\n  \"metrics\": {");
    for (size_t i = 0; i < manifest->n_metrics; i++) {
        jc_buf_puts(buf, i ? ",\n    " : "\n    ");
        put_text(buf, manifest->metrics[i].name);
        jc_buf_puts(buf, ": ");
        jc_buf_put_number(buf, manifest->metrics[i].value);
    }
    jc_buf_puts(buf, manifest->n_metrics ? "\n  }\n}\n" : "}\n}\n");
}

jc_code jc_manifest_write(const struct jc_manifest *manifest, const char *path, struct jc_err *err)
{
    for (size_t i = 0; i < manifest->n_metrics; i++)
        if (!isfinite(manifest->metrics[i].value))
            return jc_fail(err, JC_E_INVALID, "%s: metric '%s' is not a finite number", path,
                           manifest->metrics[i].name);
    JC_AUTO_BUF struct jc_buf buf = {0};
    put_manifest(&buf, manifest);
    jc_code code = jc_buf_check(&buf, err);
    return code ? code : jc_file_write(path, buf.data, buf.n, err);
}

jc_code jc_manifest_set_file(struct jc_manifest *manifest, const char *name, const char *sha256, struct jc_err *err)
{
    if (!is_file_name(name) || !is_sha256(sha256))
        return jc_fail(err, JC_E_INVALID, "file entry '%s': '%s'", name, sha256);
    size_t at = 0; /* sorted by name */
    while (at < manifest->n_files && strcmp(manifest->files[at].name, name) < 0)
        at++;
    if (at == manifest->n_files || strcmp(manifest->files[at].name, name) != 0) {
        struct jc_manifest_file *files = reallocarray(manifest->files, manifest->n_files + 1, sizeof(*files));
        if (!files)
            return jc_fail(err, JC_E_NOMEM, "out of memory");
        manifest->files = files;
        char *copy = strdup(name);
        if (!copy)
            return jc_fail(err, JC_E_NOMEM, "out of memory");
        memmove(files + at + 1, files + at, (manifest->n_files - at) * sizeof(*files));
        files[at].name = copy;
        manifest->n_files++;
    }
    strcpy(manifest->files[at].sha256, sha256);
    return JC_OK;
}

const struct jc_manifest_file *jc_manifest_find_file(const struct jc_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->n_files; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return &manifest->files[i];
    return NULL;
}
