/* Loading and verifying a model bundle. The order of the checks is the contract in models/README.md. */
#include "artifact/bundle.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "artifact/bert_file.h"
#include "artifact/plain_text.h"
#include "artifact/safetensors.h"
#include "base/file.h"

#define TITLES_MAX (256u << 20) /* bytes of categories.tsv */
#define TITLES_HEADER "code\ttitle\n"
#define CODE_MAX 64    /* bytes */
#define TITLE_MAX 512  /* bytes */
#define RESOLVE_MAX 16 /* times that a link may move on while it is followed */

struct jc_bundle {
    char *folder;
    struct jc_manifest *manifest;
    struct jc_head head; /* a copy: what happens to the file later changes no answer */
    struct jc_bert bert; /* layers 0: none */
    float *calibration;  /* [n_calibration], or NULL */
    size_t n_calibration;
    struct jc_buf titles; /* categories.tsv, its tabs and line ends overwritten with NUL */
    struct jc_category *categories;
    size_t n_categories;
};

void jc_bundle_destroy(struct jc_bundle *bundle)
{
    if (!bundle)
        return;
    free(bundle->categories);
    jc_buf_finish(&bundle->titles);
    jc_head_finish(&bundle->head);
    free(bundle->calibration);
    jc_manifest_destroy(bundle->manifest);
    free(bundle->folder);
    free(bundle);
}

/* What a portable bundle may list without having: it comes with the weights. */
static bool may_be_absent(const char *name, enum jc_bundle_parts parts)
{
    return parts == JC_BUNDLE_PORTABLE && (strcmp(name, JC_BUNDLE_VOCAB) == 0 || strcmp(name, JC_BUNDLE_WEIGHTS) == 0);
}

/* Both files or neither. */
static jc_code check_exemplars_listed(const struct jc_manifest *manifest, struct jc_err *err)
{
    bool vectors = jc_manifest_find_file(manifest, JC_BUNDLE_EXEMPLARS),
         texts = jc_manifest_find_file(manifest, JC_BUNDLE_EXEMPLAR_TEXTS);
    if (vectors != texts)
        return jc_fail(err, JC_E_FORMAT, JC_BUNDLE_MANIFEST ": /files: '%s' is listed without '%s'",
                       vectors ? JC_BUNDLE_EXEMPLARS : JC_BUNDLE_EXEMPLAR_TEXTS,
                       vectors ? JC_BUNDLE_EXEMPLAR_TEXTS : JC_BUNDLE_EXEMPLARS);
    return JC_OK;
}

static bool has_bert(const struct jc_manifest *manifest)
{
    return strcmp(manifest->encoder.kind, "bert") == 0;
}

static jc_code check_listed(const struct jc_manifest *manifest, enum jc_bundle_parts parts, struct jc_err *err)
{
    bool complete = parts == JC_BUNDLE_COMPLETE, has_encoder = has_bert(manifest);
    const struct {
        const char *name;
        bool required;
    } files[] = {
        {JC_BUNDLE_CATEGORIES, true},     {JC_BUNDLE_TITLES, true},         {JC_BUNDLE_VOCAB, complete},
        {JC_BUNDLE_WEIGHTS, has_encoder}, {JC_BUNDLE_ENCODER, has_encoder},
    };
    for (size_t i = 0; i < JC_COUNT(files); i++)
        if (files[i].required && !jc_manifest_find_file(manifest, files[i].name))
            return jc_fail(err, JC_E_FORMAT, JC_BUNDLE_MANIFEST ": /files: '%s' is not listed", files[i].name);
    if (has_encoder &&
        strcmp(jc_manifest_find_file(manifest, JC_BUNDLE_WEIGHTS)->sha256, manifest->encoder.source_sha256) != 0)
        return jc_fail(err, JC_E_FORMAT,
                       JC_BUNDLE_MANIFEST ": /encoder/source_sha256 is not that of '" JC_BUNDLE_WEIGHTS "' in /files");
    return check_exemplars_listed(manifest, err);
}

static jc_code check_file(const struct jc_bundle *bundle, const struct jc_manifest_file *file,
                          enum jc_bundle_parts parts, struct jc_err *err)
{
    char path[PATH_MAX], sha256[JC_SHA256_HEX];
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, file->name, err);
    if (code)
        return code;
    if (may_be_absent(file->name, parts) && !jc_file_exists(path))
        return JC_OK;
    code = jc_sha256_file(path, sha256, err);
    if (code)
        return code;
    if (strcmp(sha256, file->sha256) != 0)
        return jc_fail(err, JC_E_FORMAT, "%s: SHA-256 is %s, and the manifest says %s", path, sha256, file->sha256);
    return JC_OK;
}

static jc_code load_head(struct jc_bundle *bundle, struct jc_err *err)
{
    char path[PATH_MAX];
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, JC_BUNDLE_CATEGORIES, err);
    if (!code)
        code = jc_safetensors_open(path, &file, err);
    if (code)
        return code;
    code = jc_head_load(file, bundle->manifest->n_categories, bundle->manifest->dim, &bundle->head, err);
    return code ? jc_wrap(err, "%s", path) : JC_OK;
}

/* Into the loaded head, where they are listed. */
static jc_code load_exemplars(struct jc_bundle *bundle, struct jc_err *err)
{
    char vectors[PATH_MAX], texts[PATH_MAX];
    if (!jc_manifest_find_file(bundle->manifest, JC_BUNDLE_EXEMPLARS))
        return JC_OK;
    jc_code code = jc_path_join(vectors, sizeof vectors, bundle->folder, JC_BUNDLE_EXEMPLARS, err);
    if (!code)
        code = jc_path_join(texts, sizeof texts, bundle->folder, JC_BUNDLE_EXEMPLAR_TEXTS, err);
    return code ? code
                : jc_exemplars_load(vectors, texts, bundle->head.n_categories, bundle->head.dim,
                                    &bundle->head.exemplars, err);
}

static jc_code load_calibration(struct jc_bundle *bundle, struct jc_err *err)
{
    char path[PATH_MAX];
    if (!jc_manifest_find_file(bundle->manifest, JC_BUNDLE_CALIBRATION))
        return JC_OK;
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, JC_BUNDLE_CALIBRATION, err);
    if (code || (code = jc_calibration_read(path, &bundle->calibration, &bundle->n_calibration, err)))
        return code;
    const size_t n = jc_bert_calibration_size(&bundle->bert);
    return bundle->n_calibration == n
               ? JC_OK
               : jc_fail(err, JC_E_FORMAT, "%s: %zu values, and the encoder has %zu", path, bundle->n_calibration, n);
}

static jc_code load_encoder(struct jc_bundle *bundle, struct jc_err *err)
{
    char path[PATH_MAX];
    if (!has_bert(bundle->manifest))
        return JC_OK;
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, JC_BUNDLE_ENCODER, err);
    if (code || (code = jc_bert_file_read(path, &bundle->bert, err)))
        return code;
    memcpy(bundle->bert.source_sha256, bundle->manifest->encoder.source_sha256, JC_SHA256_HEX);
    return load_calibration(bundle, err);
}

/* Printable ASCII without a space: codes stand in URLs and logs. */
static bool is_code(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return n > 0 && n <= CODE_MAX;
}

jc_code jc_category_check(const char *code, size_t n_code, const char *title, size_t n_title, struct jc_err *err)
{
    if (!is_code(code, n_code))
        return jc_fail(err, JC_E_FORMAT, "the code is not 1 to %d printable ASCII characters", CODE_MAX);
    if (n_title > TITLE_MAX || !jc_is_plain_text(title, n_title))
        return jc_fail(err, JC_E_FORMAT, "the title is not 1 to %d bytes of UTF-8 without control characters",
                       TITLE_MAX);
    return JC_OK;
}

/* Cuts `line` ("code<TAB>title", ended by a NUL at `end`) into a category. */
static jc_code parse_row(char *line, const char *end, struct jc_category *ret_category, struct jc_err *err)
{
    char *tab = memchr(line, '\t', (size_t)(end - line));
    if (!tab)
        return jc_fail(err, JC_E_FORMAT, "no tab between code and title");
    jc_code code = jc_category_check(line, (size_t)(tab - line), tab + 1, (size_t)(end - tab - 1), err);
    if (code)
        return code;
    *tab = '\0';
    *ret_category = (struct jc_category){.code = line, .title = tab + 1};
    return JC_OK;
}

static int compare_codes(const void *a, const void *b)
{
    const struct jc_category *const *x = a, *const *y = b;
    int order = strcmp((*x)->code, (*y)->code);
    return order ? order : (*x > *y) - (*x < *y);
}

static jc_code check_unique(const struct jc_bundle *bundle, struct jc_err *err)
{
    JC_AUTO_FREE const struct jc_category **sorted = calloc(bundle->n_categories + 1, sizeof(*sorted));
    if (!sorted)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < bundle->n_categories; i++)
        sorted[i] = &bundle->categories[i];
    qsort(sorted, bundle->n_categories, sizeof(*sorted), compare_codes);
    for (size_t i = 1; i < bundle->n_categories; i++)
        if (strcmp(sorted[i - 1]->code, sorted[i]->code) == 0)
            return jc_fail(err, JC_E_FORMAT, "lines %td and %td have the same code '%s'",
                           sorted[i - 1] - bundle->categories + 2, sorted[i] - bundle->categories + 2, sorted[i]->code);
    return JC_OK;
}

static jc_code parse_titles(struct jc_bundle *bundle, struct jc_err *err)
{
    char *line = bundle->titles.data, *end = line + bundle->titles.n;
    size_t n_wanted = bundle->manifest->n_categories, n_header = strlen(TITLES_HEADER);
    if (bundle->titles.n < n_header || memcmp(line, TITLES_HEADER, n_header) != 0)
        return jc_fail(err, JC_E_FORMAT, "line 1: not 'code<TAB>title'");
    bundle->categories = calloc(n_wanted, sizeof(*bundle->categories));
    if (!bundle->categories)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (line += n_header; line < end; bundle->n_categories++) {
        size_t i = bundle->n_categories;
        char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            return jc_fail(err, JC_E_FORMAT, "line %zu: no line end", i + 2);
        if (i == n_wanted)
            return jc_fail(err, JC_E_FORMAT, "more rows than the %zu categories of the manifest", n_wanted);
        *line_end = '\0';
        if (parse_row(line, line_end, &bundle->categories[i], err))
            return jc_wrap(err, "line %zu", i + 2);
        line = line_end + 1;
    }
    if (bundle->n_categories != n_wanted)
        return jc_fail(err, JC_E_FORMAT, "%zu rows, and the manifest says %zu categories", bundle->n_categories,
                       n_wanted);
    return check_unique(bundle, err);
}

static jc_code load_titles(struct jc_bundle *bundle, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, JC_BUNDLE_TITLES, err);
    if (code)
        return code;
    code = jc_file_read(path, TITLES_MAX, &bundle->titles, err);
    if (code == JC_E_TOO_LARGE)
        return err->code = JC_E_FORMAT;
    if (code)
        return code;
    return parse_titles(bundle, err) ? jc_wrap(err, "%s", path) : JC_OK;
}

static jc_code load_manifest(struct jc_bundle *bundle, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof path, bundle->folder, JC_BUNDLE_MANIFEST, err);
    return code ? code : jc_manifest_load(path, &bundle->manifest, err);
}

static jc_code load_folder(const char *folder, enum jc_bundle_parts parts, struct jc_bundle **ret_bundle,
                           struct jc_err *err)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = calloc(1, sizeof(*bundle));
    if (!bundle || !(bundle->folder = strdup(folder)))
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = load_manifest(bundle, err);
    if (code)
        return code;
    if (check_listed(bundle->manifest, parts, err))
        return jc_wrap(err, "%s", folder);
    for (size_t i = 0; i < bundle->manifest->n_files; i++) {
        code = check_file(bundle, &bundle->manifest->files[i], parts, err);
        if (code)
            return code;
    }
    code = load_head(bundle, err);
    if (!code)
        code = load_exemplars(bundle, err);
    if (!code)
        code = load_encoder(bundle, err);
    if (!code)
        code = load_titles(bundle, err);
    if (code)
        return code;
    *ret_bundle = TAKE(bundle);
    return JC_OK;
}

/* Through a link that is switched under way (`current`) the files could be of two versions: the name is resolved once.
 * Where that version is deleted before it was read, the link names another by then, and that one is taken. */
jc_code jc_bundle_load(const char *folder, enum jc_bundle_parts parts, struct jc_bundle **ret_bundle,
                       struct jc_err *err)
{
    char path[PATH_MAX], last[PATH_MAX] = "";
    jc_code code = JC_E_INTERNAL;
    for (int i = 0; i < RESOLVE_MAX; i++) {
        if (!realpath(folder, path)) {
            code = jc_fail_errno(err, errno == ENOENT ? JC_E_NOT_FOUND : JC_E_IO, "open '%s/" JC_BUNDLE_MANIFEST "'",
                                 folder);
            continue;
        }
        if (code && strcmp(path, last) == 0)
            break;
        code = load_folder(path, parts, ret_bundle, err);
        if (!code)
            break;
        strcpy(last, path);
    }
    return code;
}

const struct jc_manifest *jc_bundle_manifest(const struct jc_bundle *bundle)
{
    return bundle->manifest;
}

const char *jc_bundle_folder(const struct jc_bundle *bundle)
{
    return bundle->folder;
}

const struct jc_category *jc_bundle_categories(const struct jc_bundle *bundle, size_t *ret_n)
{
    *ret_n = bundle->n_categories;
    return bundle->categories;
}

const struct jc_head *jc_bundle_head(const struct jc_bundle *bundle)
{
    return &bundle->head;
}

const struct jc_bert *jc_bundle_bert(const struct jc_bundle *bundle)
{
    return bundle->bert.layers ? &bundle->bert : NULL;
}

const float *jc_bundle_calibration(const struct jc_bundle *bundle, size_t *ret_n)
{
    *ret_n = bundle->n_calibration;
    return bundle->calibration;
}
