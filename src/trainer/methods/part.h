/* How a team shares things out. */
#ifndef JC_TRAINER_PART_H
#define JC_TRAINER_PART_H

#include <stddef.h>

/* [begin, end) */
struct jc_part {
    size_t begin, end;
};

/* Member `member`'s part of [begin, end): together the parts are all of it, and none is over an n_members-th, rounded
 * up. */
static inline struct jc_part jc_part_of(size_t begin, size_t end, unsigned n_members, unsigned member)
{
    size_t n = end - begin;
    return (struct jc_part){begin + n * member / n_members, begin + n * (member + 1) / n_members};
}

#endif
