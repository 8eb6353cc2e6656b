/*
 * The model slot: holds the current model, lends it, and swaps it. A request takes the model once and ends with that
 * one; a model that was swapped out stays until its last user gave it back, and is freed by jc_model_slot_reap: never
 * on the thread of a user, since freeing an encoder takes its time.
 * Threads: take and give from any; swap and reap from one at a time.
 */
#ifndef JC_SERVER_LIFE_MODEL_SLOT_H
#define JC_SERVER_LIFE_MODEL_SLOT_H

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "server/life/model.h"
#include "server/queue/cache.h"

struct jc_model_slot;

/* cache: outlives the slot, which drops from it the answers of models that are gone; NULL: none. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_model_slot_create(struct jc_cache *cache, struct jc_model_slot **ret_slot, struct jc_err *err);
/* Frees the models too: all were given back. */
void jc_model_slot_destroy(struct jc_model_slot *slot);
JC_DEFINE_AUTO(jc_model_slot)

/* The current model, with a reference to be given back; NULL before the first swap. */
struct jc_model *jc_model_slot_take(struct jc_model_slot *slot);

/* Gives a reference back. NULL: nothing. */
void jc_model_give(struct jc_model *model);

/* Makes `model`, which the slot owns from here, the current one, with the next generation. */
void jc_model_slot_swap(struct jc_model_slot *slot, struct jc_model *model);

/* Frees the swapped-out models that nobody uses any more. Returns how many are still used. */
size_t jc_model_slot_reap(struct jc_model_slot *slot);

#endif
