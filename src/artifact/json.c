/* jansson over memory that is let go of as a whole. See json.h. */
#include "artifact/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { FIRST_BYTES = 4 * 1024, MOST_BYTES = 256 * 1024 }; /* of a block, but for an allocation that is larger */

struct block {
    struct block *older;
    alignas(max_align_t) char bytes[];
};

struct jc_json {
    json_t *root;
    struct block *newest;
    char *next; /* free memory of the newest block */
    size_t n_left;
    size_t block_bytes; /* of the next block */
    jmp_buf out_of_memory;
};

/* Whose parse this thread is in; NULL: in none. */
static _Thread_local struct jc_json *parsing;

static bool add_block(struct jc_json *json, size_t n)
{
    size_t n_bytes = n > json->block_bytes ? n : json->block_bytes;
    struct block *block = n_bytes <= SIZE_MAX - sizeof *block ? malloc(sizeof *block + n_bytes) : NULL;
    if (!block)
        return false;
    block->older = json->newest;
    json->newest = block;
    json->next = block->bytes;
    json->n_left = n_bytes;
    if (json->block_bytes < MOST_BYTES)
        json->block_bytes *= 2;
    return true;
}

/* Jumps over frames of jansson alone, which own nothing outside of the document and hold no lock. */
static void *allocate(size_t n)
{
    struct jc_json *json = parsing;
    if (!json)
        return malloc(n);
    const size_t unit = alignof(max_align_t);
    if (n > SIZE_MAX - unit)
        longjmp(json->out_of_memory, 1);
    n = (n + unit - 1) / unit * unit;
    if (n > json->n_left && !add_block(json, n))
        longjmp(json->out_of_memory, 1);
    void *memory = json->next;
    json->next += n;
    json->n_left -= n;
    return memory;
}

/* What a parse frees it has allocated itself: that goes with the document. */
static void release(void *memory)
{
    if (!parsing)
        free(memory);
}

/* Outside of a parse they are malloc and free, so it does not matter what was allocated before. */
static void take_over(void)
{
    json_set_alloc_funcs(allocate, release);
}

/* Returns false where memory ran out. */
static bool load(struct jc_json *json, const char *text, size_t n, json_error_t *where)
{
    parsing = json;
    bool whole = setjmp(json->out_of_memory) == 0;
    if (whole)
        json->root = json_loadb(text, n, JSON_REJECT_DUPLICATES, where);
    parsing = NULL;
    return whole;
}

static jc_code fail_nomem(json_error_t *where)
{
    *where = (json_error_t){.line = -1, .column = -1};
    snprintf(where->text, sizeof where->text, "out of memory");
    return JC_E_NOMEM;
}

jc_code jc_json_parse(const char *text, size_t n, struct jc_json **ret_json, json_error_t *where)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_over);
    JC_AUTO(jc_json) struct jc_json *json = calloc(1, sizeof *json);
    if (!json)
        return fail_nomem(where);
    json->block_bytes = FIRST_BYTES;
    if (!load(json, text, n, where))
        return fail_nomem(where);
    if (!json->root)
        return JC_E_FORMAT;
    *ret_json = TAKE(json);
    return JC_OK;
}

jc_code jc_json_read(const char *path, size_t max_bytes, struct jc_json **ret_json, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    json_error_t where;
    jc_code code = jc_file_read(path, max_bytes, &text, err);
    if (code)
        return code;
    code = jc_json_parse(text.n ? text.data : "", text.n, ret_json, &where);
    return code ? jc_fail(err, code, "%s:%d:%d: %s", path, where.line, where.column, where.text) : JC_OK;
}

void jc_json_destroy(struct jc_json *json)
{
    if (!json)
        return;
    for (struct block *block = json->newest, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    free(json);
}

json_t *jc_json_root(const struct jc_json *json)
{
    return json ? json->root : NULL;
}
