/* Where a request's time went. See timing.h. */
#include "server/observe/timing.h"

#include <string.h>

#include "server/queue/ticket.h"

static const char *const names[JC_N_STAGES] = {
    [JC_STAGE_PARSE] = "parse",   [JC_STAGE_TOKENIZE] = "tokenize", [JC_STAGE_QUEUE] = "queue",
    [JC_STAGE_ENCODE] = "encode", [JC_STAGE_SCORE] = "score",
};

void jc_timing_gather(struct jc_timing *timing, const struct jc_ticket *ticket)
{
    uint64_t first_ns = 0, batch_ns = 0;
    for (size_t i = 0; i < ticket->n_items; i++) {
        const struct jc_item_timing *item = &ticket->items[i].timing;
        /* A take's items stand side by side, and its time of day tells it from the next. */
        if (item->begun_ns == 0 || item->begun_ns == batch_ns)
            continue;
        batch_ns = item->begun_ns;
        if (first_ns == 0 || batch_ns < first_ns)
            first_ns = batch_ns;
        timing->ns[JC_STAGE_ENCODE] += item->encode_ns;
        timing->ns[JC_STAGE_SCORE] += item->score_ns;
    }
    if (first_ns > ticket->queued_ns)
        timing->ns[JC_STAGE_QUEUE] = first_ns - ticket->queued_ns;
}

/* By hand: six of them a request would be seen in a profile if printf wrote them. */
void jc_timing_put_ms(uint64_t ns, char ret_text[JC_MS_TEXT])
{
    char reversed[JC_MS_TEXT];
    size_t n = 0;
    for (uint64_t us = ns / 1000; us || n < 5; us /= 10) {
        if (n == 3)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + us % 10);
    }
    for (size_t i = 0; i < n; i++)
        ret_text[i] = reversed[n - 1 - i];
    ret_text[n] = '\0';
}

static char *append(char *at, const char *text)
{
    size_t n = strlen(text);
    memcpy(at, text, n + 1);
    return at + n;
}

void jc_timing_put_header(const struct jc_timing *timing, uint64_t total_ns, char ret_text[JC_SERVER_TIMING_TEXT])
{
    char *at = ret_text, ms[JC_MS_TEXT];
    for (size_t i = 0; i < JC_N_STAGES; i++) {
        if (timing->ns[i] == 0)
            continue;
        jc_timing_put_ms(timing->ns[i], ms);
        at = append(append(append(append(at, names[i]), ";dur="), ms), ", ");
    }
    jc_timing_put_ms(total_ns, ms);
    append(append(at, "total;dur="), ms);
}
