/* A lane's memory, which grows to its largest batch. See encoder_impl.h. */
#include "cuda/encoder_impl.h"

jc_code jc_cuda_room_reserve(struct jc_cuda_room *room, size_t n_bytes, struct jc_err *err)
{
    if (n_bytes <= room->n_bytes)
        return JC_OK;
    const size_t n = n_bytes + n_bytes / 2;
    jc_cuda_buffer_destroy(TAKE(room->buffer));
    room->n_bytes = 0;
    jc_code code = jc_cuda_buffer_create(room->place, n, &room->buffer, err);
    if (!code)
        room->n_bytes = n;
    return code;
}

void jc_cuda_room_finish(struct jc_cuda_room *room)
{
    jc_cuda_buffer_destroy(TAKE(room->buffer));
    room->n_bytes = 0;
}

void jc_cuda_rooms_init(struct jc_cuda_rooms *rooms)
{
    rooms->words_host.place = rooms->answers.place = rooms->scores_host.place = JC_CUDA_PINNED;
}

void jc_cuda_rooms_finish(struct jc_cuda_rooms *rooms)
{
    struct jc_cuda_room *const all[] = {&rooms->words,   &rooms->words_host, &rooms->queries, &rooms->scores,
                                        &rooms->cosines, &rooms->candidates, &rooms->parts,   &rooms->records,
                                        &rooms->answers, &rooms->scores_host};
    for (size_t i = 0; i < JC_COUNT(all); i++)
        jc_cuda_room_finish(all[i]);
}
