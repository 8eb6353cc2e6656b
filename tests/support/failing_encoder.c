/*
 * Part of a server whose encoder fails as the file says that the environment's JOBCODE_FAULT names: a device that fails
 * is played with it. Linked with -Wl,--wrap=jc_encoder_encode.
 *     lost   the device is lost, from now on
 *     full   it has no room, for any batch
 *     small  it has no room for a batch of more than one text
 *     late   as `small`, and a batch of one loses it
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/encoder.h"

jc_code __real_jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                                 size_t n_texts, float *ret_vectors, struct jc_err *err);
jc_code __wrap_jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                                 size_t n_texts, float *ret_vectors, struct jc_err *err);

static void read_fault(char *ret_word, size_t n)
{
    const char *path = getenv("JOBCODE_FAULT");
    FILE *file = path ? fopen(path, "re") : NULL;
    *ret_word = '\0';
    if (!file)
        return;
    if (!fgets(ret_word, (int)n, file))
        *ret_word = '\0';
    fclose(file);
}

jc_code __wrap_jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                                 size_t n_texts, float *ret_vectors, struct jc_err *err)
{
    static atomic_bool is_lost;
    char word[16];
    read_fault(word, sizeof word);
    const bool is_late = strcmp(word, "late") == 0;
    if (strcmp(word, "lost") == 0 || (is_late && n_texts == 1))
        atomic_store(&is_lost, true);
    if (atomic_load(&is_lost))
        return jc_fail(err, JC_E_DEVICE, "GPU 0: an illegal memory access was encountered");
    if (strcmp(word, "full") == 0 || ((is_late || strcmp(word, "small") == 0) && n_texts > 1))
        return jc_fail(err, JC_E_NOMEM, "GPU 0 has no room for 5000 bytes: of its 16000, 400 are free");
    return __real_jc_encoder_encode(encoder, ids, n_tokens, n_texts, ret_vectors, err);
}
