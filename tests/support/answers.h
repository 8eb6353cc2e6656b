/* Tickets of made-up texts, and answers made of their ids, for the tests of cache, flights and admission. */
#ifndef JC_TESTS_ANSWERS_H
#define JC_TESTS_ANSWERS_H

#include <stdbool.h>

#include "base/rng.h"
#include "server/queue/ticket.h"

enum { ANSWER_IDS = 4, ANSWER_TOP = 8 };

/* The memory of an input: texts with the same number have the same ids. */
struct answer_memory {
    int32_t ids[ANSWER_IDS];
    struct jc_hit hits[ANSWER_TOP];
    struct jc_evidence evidence[ANSWER_TOP];
};

static inline void answer_init(struct jc_input *input, struct answer_memory *memory, uint32_t text, uint32_t top_n)
{
    for (int i = 0; i < ANSWER_IDS; i++)
        memory->ids[i] = (int32_t)(text >> (8 * i) & 0xff);
    *input = (struct jc_input){
        .ids = memory->ids, .n_ids = ANSWER_IDS, .top_n = top_n, .hits = memory->hits, .evidence = memory->evidence};
}

/* Hit i of a text, by a model: nothing of it is the same for two texts, models or levels. */
static inline struct jc_hit answer_hit(const struct jc_input *input, uint64_t generation, uint32_t i)
{
    uint64_t text = 0;
    for (int k = 0; k < ANSWER_IDS; k++)
        text |= (uint64_t)(uint32_t)input->ids[k] << (8 * k);
    struct jc_rng rng = jc_rng_seeded(text | generation << 32 | (uint64_t)input->level << 56);
    uint64_t draw = jc_rng_next(&rng) + i;
    return (struct jc_hit){.index = (uint32_t)draw, .score = (float)(draw >> 40)};
}

static inline void answer_compute(struct jc_input *input, uint64_t generation)
{
    input->n_hits = input->top_n;
    input->norm = (struct jc_norm){.best = answer_hit(input, generation, 0).score};
    for (uint32_t i = 0; i < input->top_n; i++) {
        input->hits[i] = answer_hit(input, generation, i);
        input->evidence[i] = (struct jc_evidence){.text = input->hits[i].index + 1, .similarity = .5F};
    }
}

static inline bool answer_is_right(const struct jc_input *input, uint64_t generation)
{
    bool right = input->n_hits == input->top_n && input->norm.best == answer_hit(input, generation, 0).score;
    for (uint32_t i = 0; i < input->n_hits; i++) {
        struct jc_hit hit = answer_hit(input, generation, i);
        right &= input->hits[i].index == hit.index && input->hits[i].score == hit.score &&
                 input->evidence[i].text == hit.index + 1;
    }
    return right;
}

#endif
