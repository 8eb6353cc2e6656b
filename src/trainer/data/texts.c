/* A pool of distinct texts: one arena, and an open-addressing table of numbers over it. */
#include "trainer/data/texts.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

#define EMPTY UINT32_MAX

struct entry {
    size_t offset; /* into the arena */
    size_t n;
    uint64_t hash;
};

struct jc_texts {
    struct jc_buf arena;
    struct entry *entries;
    size_t n, cap;
    uint32_t *slots; /* [n_slots], a power of two, at most half full */
    size_t n_slots;
};

struct jc_texts *jc_texts_create(void)
{
    return calloc(1, sizeof(struct jc_texts));
}

void jc_texts_destroy(struct jc_texts *texts)
{
    if (!texts)
        return;
    jc_buf_finish(&texts->arena);
    free(texts->entries);
    free(texts->slots);
    free(texts);
}

static uint64_t hash_text(const char *text, size_t n)
{
    uint64_t hash = jc_hash_bytes(text, n);
    return hash ^ (hash >> 32);
}

/* The slot of a text, or the empty one where it would go. */
static size_t find_slot(const struct jc_texts *texts, uint64_t hash, const char *text, size_t n)
{
    size_t mask = texts->n_slots - 1, slot = hash & mask;
    for (; texts->slots[slot] != EMPTY; slot = (slot + 1) & mask) {
        const struct entry *entry = &texts->entries[texts->slots[slot]];
        if (entry->hash == hash && entry->n == n && memcmp(texts->arena.data + entry->offset, text, n) == 0)
            break;
    }
    return slot;
}

static jc_code grow(struct jc_texts *texts, struct jc_err *err)
{
    size_t cap = texts->cap ? 2 * texts->cap : 1024;
    if (cap > (size_t)1 << 31)
        return jc_fail(err, JC_E_TOO_LARGE, "more than %zu distinct texts", texts->cap);
    struct entry *entries = reallocarray(texts->entries, cap, sizeof(*entries));
    if (entries)
        texts->entries = entries;
    uint32_t *slots = entries ? malloc(2 * cap * sizeof(*slots)) : NULL;
    if (!slots)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu texts", cap);
    memset(slots, 0xff, 2 * cap * sizeof(*slots));
    free(texts->slots);
    texts->slots = slots;
    texts->n_slots = 2 * cap;
    texts->cap = cap;
    for (size_t i = 0; i < texts->n; i++) {
        size_t slot = texts->entries[i].hash & (texts->n_slots - 1);
        while (slots[slot] != EMPTY)
            slot = (slot + 1) & (texts->n_slots - 1);
        slots[slot] = (uint32_t)i;
    }
    return JC_OK;
}

jc_code jc_texts_add(struct jc_texts *texts, const char *text, size_t n, uint32_t *ret_id, struct jc_err *err)
{
    jc_code code;
    if (texts->n == texts->cap && (code = grow(texts, err)))
        return code;
    uint64_t hash = hash_text(text, n);
    size_t slot = find_slot(texts, hash, text, n);
    if (texts->slots[slot] == EMPTY) {
        size_t offset = texts->arena.n;
        jc_buf_put(&texts->arena, text, n);
        jc_buf_putc(&texts->arena, '\0');
        if ((code = jc_buf_check(&texts->arena, err)))
            return code;
        texts->entries[texts->n] = (struct entry){.offset = offset, .n = n, .hash = hash};
        texts->slots[slot] = (uint32_t)texts->n++;
    }
    *ret_id = texts->slots[slot];
    return JC_OK;
}

bool jc_texts_find(const struct jc_texts *texts, const char *text, size_t n, uint32_t *ret_id)
{
    if (texts->n == 0)
        return false;
    uint32_t id = texts->slots[find_slot(texts, hash_text(text, n), text, n)];
    if (id == EMPTY)
        return false;
    *ret_id = id;
    return true;
}

size_t jc_texts_count(const struct jc_texts *texts)
{
    return texts->n;
}

const char *jc_texts_get(const struct jc_texts *texts, uint32_t id, size_t *ret_n)
{
    *ret_n = texts->entries[id].n;
    return texts->arena.data + texts->entries[id].offset;
}
