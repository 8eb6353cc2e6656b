/* Lending and swapping the current model. See model_slot.h. */
#include "server/life/model_slot.h"

#include <pthread.h>

struct jc_model_slot {
    struct jc_cache *cache;
    pthread_mutex_t lock; /* of `current`: between reading it and counting the reference it must not be swapped */
    struct jc_model *current;
    struct jc_model *retired; /* a list; of who swaps and reaps, as the next */
    uint64_t n_generations;
};

jc_code jc_model_slot_create(struct jc_cache *cache, struct jc_model_slot **ret_slot, struct jc_err *err)
{
    struct jc_model_slot *slot = calloc(1, sizeof *slot);
    if (!slot)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    slot->cache = cache;
    pthread_mutex_init(&slot->lock, NULL);
    *ret_slot = slot;
    return JC_OK;
}

void jc_model_slot_destroy(struct jc_model_slot *slot)
{
    if (!slot)
        return;
    for (struct jc_model *model = slot->retired, *next; model; model = next) {
        next = model->next_retired;
        jc_model_destroy(model);
    }
    jc_model_destroy(slot->current);
    pthread_mutex_destroy(&slot->lock);
    free(slot);
}

struct jc_model *jc_model_slot_take(struct jc_model_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    struct jc_model *model = slot->current;
    if (model)
        atomic_fetch_add_explicit(&model->n_references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&slot->lock);
    return model;
}

void jc_model_give(struct jc_model *model)
{
    if (model)
        atomic_fetch_sub_explicit(&model->n_references, 1, memory_order_release);
}

void jc_model_slot_swap(struct jc_model_slot *slot, struct jc_model *model)
{
    atomic_store(&model->n_references, 1);
    model->generation = ++slot->n_generations;
    pthread_mutex_lock(&slot->lock);
    struct jc_model *old = slot->current;
    slot->current = model;
    pthread_mutex_unlock(&slot->lock);
    if (old) {
        old->next_retired = slot->retired;
        slot->retired = old;
    }
}

size_t jc_model_slot_reap(struct jc_model_slot *slot)
{
    size_t n_used = 0;
    for (struct jc_model **at = &slot->retired; *at;) {
        struct jc_model *model = *at;
        /* Not current any more: nobody can take it, and only the slot's own reference is left. */
        if (atomic_load_explicit(&model->n_references, memory_order_acquire) == 1) {
            *at = model->next_retired;
            if (slot->cache)
                jc_cache_clear(slot->cache, model->generation);
            jc_model_destroy(model);
        } else {
            at = &model->next_retired;
            n_used++;
        }
    }
    return n_used;
}
