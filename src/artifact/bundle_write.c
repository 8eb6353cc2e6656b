/* Writing a model bundle: into a temporary folder, verified there by loading it, then published in one step. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "artifact/bert_file.h"
#include "artifact/bundle.h"
#include "base/file.h"

#define VERSION_DIGITS 12 /* of the content's SHA-256 */

/* A folder that goes away unless it was published; "" = none. */
struct temp_folder {
    char path[PATH_MAX];
};

static void temp_folder_finish(struct temp_folder *temp)
{
    if (*temp->path)
        jc_dir_remove(temp->path);
}

/* Lists the written file `name` in the manifest. */
static jc_code list_file(const struct jc_bundle_content *content, const char *name, const char *path,
                         struct jc_err *err)
{
    char sha256[JC_SHA256_HEX];
    jc_code code = jc_sha256_file(path, sha256, err);
    return code ? code : jc_manifest_set_file(content->manifest, name, sha256, err);
}

static jc_code write_head(const struct jc_bundle_content *content, const char *folder, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_CATEGORIES, err);
    if (!code)
        code = jc_head_write(content->head, path, err);
    return code ? code : list_file(content, JC_BUNDLE_CATEGORIES, path, err);
}

static jc_code write_titles(const struct jc_bundle_content *content, const char *folder, struct jc_err *err)
{
    char path[PATH_MAX];
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_buf_puts(&buf, "code\ttitle\n");
    for (size_t i = 0; i < content->head->n_categories; i++) {
        jc_buf_puts(&buf, content->categories[i].code);
        jc_buf_putc(&buf, '\t');
        jc_buf_puts(&buf, content->categories[i].title);
        jc_buf_putc(&buf, '\n');
    }
    jc_code code = jc_buf_check(&buf, err);
    if (!code)
        code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_TITLES, err);
    if (!code)
        code = jc_file_write(path, buf.data, buf.n, err);
    return code ? code : list_file(content, JC_BUNDLE_TITLES, path, err);
}

/* Where the head has none, nothing. */
static jc_code write_exemplars(const struct jc_bundle_content *content, const char *folder, struct jc_err *err)
{
    char vectors[PATH_MAX], texts[PATH_MAX];
    if (!content->head->exemplars.n)
        return JC_OK;
    jc_code code;
    if ((code = jc_path_join(vectors, sizeof vectors, folder, JC_BUNDLE_EXEMPLARS, err)) ||
        (code = jc_path_join(texts, sizeof texts, folder, JC_BUNDLE_EXEMPLAR_TEXTS, err)) ||
        (code = jc_exemplars_write(&content->head->exemplars, vectors, texts, err)) ||
        (code = list_file(content, JC_BUNDLE_EXEMPLARS, vectors, err)))
        return code;
    return list_file(content, JC_BUNDLE_EXEMPLAR_TEXTS, texts, err);
}

/* Puts the file `from` (NULL = none) into the bundle as `name`. */
static jc_code add_file(const struct jc_bundle_content *content, const char *folder, const char *name, const char *from,
                        struct jc_err *err)
{
    char path[PATH_MAX];
    if (!from)
        return JC_OK;
    jc_code code = jc_path_join(path, sizeof path, folder, name, err);
    if (!code)
        code = jc_file_link(from, path, err);
    return code ? code : list_file(content, name, path, err);
}

/* The vectors depend on the vocabulary and the weights: one that the manifest already names must be what is put in. */
static jc_code check_given(const struct jc_bundle_content *content, const char *name, const char *path,
                           struct jc_err *err)
{
    const struct jc_manifest_file *wanted = jc_manifest_find_file(content->manifest, name);
    char sha256[JC_SHA256_HEX];
    if (!wanted || !path)
        return JC_OK;
    jc_code code = jc_sha256_file(path, sha256, err);
    if (code)
        return code;
    if (strcmp(sha256, wanted->sha256) != 0)
        return jc_fail(err, JC_E_FORMAT, "%s: SHA-256 is %s, and the model was made with %s", path, sha256,
                       wanted->sha256);
    return JC_OK;
}

/* encoder.json and the calibration; the weights are listed whether they are put in or not. */
static jc_code write_encoder(const struct jc_bundle_content *content, const char *folder, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code;
    if (!content->bert)
        return JC_OK;
    if ((code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_ENCODER, err)) ||
        (code = jc_bert_file_write(path, content->bert, err)) ||
        (code = list_file(content, JC_BUNDLE_ENCODER, path, err)) ||
        (code = jc_manifest_set_file(content->manifest, JC_BUNDLE_WEIGHTS, content->bert->source_sha256, err)) ||
        !content->calibration)
        return code;
    if ((code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_CALIBRATION, err)) ||
        (code = jc_calibration_write(path, content->calibration, content->n_calibration, err)))
        return code;
    return list_file(content, JC_BUNDLE_CALIBRATION, path, err);
}

/* The SHA-256 over what fixes the model's answers, as text (models/README.md), so that the manifest alone shows it. */
static jc_code set_version(struct jc_manifest *manifest, struct jc_err *err)
{
    static const char *const names[] = {JC_BUNDLE_CATEGORIES,     JC_BUNDLE_TITLES, JC_BUNDLE_EXEMPLARS,
                                        JC_BUNDLE_EXEMPLAR_TEXTS, JC_BUNDLE_VOCAB,  JC_BUNDLE_ENCODER,
                                        JC_BUNDLE_CALIBRATION};
    char sha256[JC_SHA256_HEX], *version;
    JC_AUTO_BUF struct jc_buf text = {0};
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        const struct jc_manifest_file *file = jc_manifest_find_file(manifest, names[i]);
        jc_buf_puts(&text, file ? file->sha256 : "");
    }
    jc_buf_printf(&text, "%s %s %zu %zu %s", manifest->encoder.source_sha256, manifest->encoder.part,
                  manifest->encoder.chunks, manifest->encoder.max_tokens,
                  manifest->encoder.prefix ? manifest->encoder.prefix : "");
    jc_code code = jc_buf_check(&text, err);
    if (code)
        return code;
    jc_sha256_hex(text.data, text.n, sha256);
    if (asprintf(&version, "%s-%s-%.*s", manifest->name, manifest->method, VERSION_DIGITS, sha256) < 0)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    free(manifest->version);
    manifest->version = version;
    return JC_OK;
}

static jc_code write_files(const char *folder, const struct jc_bundle_content *content, struct jc_err *err)
{
    char path[PATH_MAX];
    content->manifest->dim = content->head->dim;
    content->manifest->n_categories = content->head->n_categories;
    jc_code code = write_head(content, folder, err);
    if (!code)
        code = write_titles(content, folder, err);
    if (!code)
        code = write_exemplars(content, folder, err);
    if (!code)
        code = write_encoder(content, folder, err);
    if (!code)
        code = check_given(content, JC_BUNDLE_VOCAB, content->vocab_path, err);
    if (!code)
        code = check_given(content, JC_BUNDLE_WEIGHTS, content->weights_path, err);
    if (!code)
        code = add_file(content, folder, JC_BUNDLE_VOCAB, content->vocab_path, err);
    if (!code)
        code = add_file(content, folder, JC_BUNDLE_WEIGHTS, content->weights_path, err);
    if (!code)
        code = set_version(content->manifest, err);
    if (!code)
        code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_MANIFEST, err);
    return code ? code : jc_manifest_write(content->manifest, path, err);
}

jc_code jc_bundle_write(const char *folder, const struct jc_bundle_content *content, struct jc_err *err)
{
    if (!content->manifest->name || !content->manifest->method)
        return jc_fail(err, JC_E_INVALID, "%s: the manifest needs a name and a method", folder);
    __attribute__((cleanup(temp_folder_finish))) struct temp_folder temp = {""};
    char path[PATH_MAX];
    jc_code code = jc_dir_create_temp(folder, path, sizeof path, err);
    if (code)
        return code;
    strcpy(temp.path, path);
    code = write_files(temp.path, content, err);
    if (code)
        return code;

    /* What would not load is not published. */
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    code = jc_bundle_load(temp.path, content->vocab_path ? JC_BUNDLE_COMPLETE : JC_BUNDLE_PORTABLE, &bundle, err);
    if (code)
        return jc_wrap(err, "%s: what was to be published does not verify", folder);
    code = jc_dir_publish(temp.path, folder, err);
    if (!code)
        *temp.path = '\0';
    return code;
}
