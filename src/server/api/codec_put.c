/* The classify answer: ranked matches -> JSON. See codec.h. */
#include "server/api/codec.h"

#include <math.h>
#include <string.h>

#include "text/utf8.h"

/* By hand, as the ranks: printf would be most of the time of an answer. The product of a float is exact in double. */
void jc_codec_put_score(struct jc_buf *out, float score)
{
    if (fabsf(score) > 9) { /* rare: more digits than fit below */
        jc_buf_printf(out, "%.4f", (double)score);
        return;
    }
    unsigned n = (unsigned)lrint(fabs((double)score) * 10000.0);
    char text[7] = {score < 0 && n ? '-' : ' '};
    text[1] = (char)('0' + n / 10000);
    text[2] = '.';
    for (unsigned i = 6, rest = n % 10000; i > 2; i--, rest /= 10)
        text[i] = (char)('0' + rest % 10);
    size_t skip = text[0] == ' ';
    jc_buf_put(out, text + skip, sizeof text - skip);
}

static void put_count(struct jc_buf *out, uint32_t count)
{
    char text[10];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + count % 10);
    while (count /= 10);
    jc_buf_put(out, text + at, sizeof text - at);
}

/* A common answer's size, so that it is allocated once. */
#define ANSWER_BYTES 152
#define MATCH_BYTES 124
#define GROUP_BYTES 164
#define EVIDENCE_BYTES 80

#define EVIDENCE_CHARS 200 /* a training text that is no title but a body is cut */

/* "code":..,"title":..; the title may be NULL. */
static void put_names(const char *code, const char *title, struct jc_buf *out)
{
    jc_buf_puts(out, "\"code\":");
    jc_buf_put_json(out, code, strlen(code));
    if (!title)
        return;
    jc_buf_puts(out, ",\"title\":");
    jc_buf_put_json(out, title, strlen(title));
}

static void put_evidence(const struct jc_classifier *classifier, const struct jc_evidence *evidence, struct jc_buf *out)
{
    const char *text = jc_classifier_evidence_text(classifier, evidence);
    size_t n = 0;
    for (size_t n_chars = 0; text[n] && n_chars < EVIDENCE_CHARS; n_chars++)
        jc_utf8_next(text, &n);
    jc_buf_puts(out, ",\"evidence\":{\"title\":");
    jc_buf_put_json(out, text, n);
    jc_buf_puts(out, ",\"similarity\":");
    jc_codec_put_score(out, fminf(evidence->similarity, 1)); /* of rounded unit vectors */
    jc_buf_putc(out, '}');
}

static void put_matches(const struct jc_input *input, const struct jc_classifier *classifier,
                        const struct jc_category *categories, struct jc_buf *out)
{
    const struct jc_groups *groups = jc_classifier_groups(classifier);
    jc_buf_puts(out, "\"matches\":[");
    for (uint32_t i = 0; i < input->n_hits; i++) {
        const struct jc_hit *hit = &input->hits[i];
        const struct jc_category *category = &categories[hit->index];
        jc_buf_puts(out, i ? ",{\"rank\":" : "{\"rank\":");
        put_count(out, i + 1);
        jc_buf_putc(out, ',');
        if (input->level == JC_LEVEL_NONE) {
            put_names(category->code, category->title, out);
            jc_buf_puts(out, ",\"score\":");
            jc_codec_put_score(out, hit->score);
        } else {
            const struct jc_group *group = jc_groups_of(groups, input->level, hit->index);
            put_names(group->code, group->title, out);
        }
        jc_buf_puts(out, ",\"confidence\":");
        jc_codec_put_score(out, jc_classifier_confidence(classifier, input, i));
        if (input->level != JC_LEVEL_NONE) {
            jc_buf_puts(out, ",\"best\":{");
            put_names(category->code, category->title, out);
            jc_buf_putc(out, '}');
        }
        if (input->evidence && input->evidence[i].text != JC_EVIDENCE_NONE)
            put_evidence(classifier, &input->evidence[i], out);
        jc_buf_putc(out, '}');
    }
    jc_buf_puts(out,
                jc_classifier_accepts(classifier, input) ? "],\"decision\":\"accept\"" : "],\"decision\":\"review\"");
}

void jc_codec_put_answer(const struct jc_classify *classify, const struct jc_classifier *classifier, struct jc_buf *out)
{
    const struct jc_bundle *bundle = jc_classifier_bundle(classifier);
    const struct jc_manifest *manifest = jc_bundle_manifest(bundle);
    size_t n_categories;
    const struct jc_category *categories = jc_bundle_categories(bundle, &n_categories);

    size_t n_matches = 0;
    for (size_t i = 0; i < classify->ticket.n_items; i++)
        n_matches += classify->ticket.items[i].input.n_hits;
    size_t match_bytes =
        (classify->level == JC_LEVEL_NONE ? MATCH_BYTES : GROUP_BYTES) + (classify->evidence ? EVIDENCE_BYTES : 0);
    jc_buf_reserve(out, ANSWER_BYTES + n_matches * match_bytes);

    jc_buf_puts(out, "{\"model\":");
    jc_buf_put_json(out, manifest->version, strlen(manifest->version));
    jc_buf_puts(out, ",\"taxonomy\":");
    jc_buf_put_json(out, manifest->taxonomy, strlen(manifest->taxonomy));
    if (classify->level != JC_LEVEL_NONE)
        jc_buf_printf(out, ",\"level\":\"%s\"", jc_level_name(classify->level));
    jc_buf_puts(out, ",\"results\":[");
    for (size_t i = 0; i < classify->n_postings; i++) {
        const struct jc_classify_posting *posting = &classify->postings[i];
        jc_buf_puts(out, i ? ",{" : "{");
        if (posting->id)
            jc_buf_printf(out, "\"id\":%s,", posting->id);
        if (posting->item)
            put_matches(&posting->item->input, classifier, categories, out);
        else
            jc_buf_printf(out, "\"matches\":[],\"error\":{\"code\":\"%s\",\"detail\":\"%s\"}",
                          jc_problem_code(JC_PROBLEM_EMPTY_TEXT), "No letter or digit is left after cleaning.");
        jc_buf_putc(out, '}');
    }
    jc_buf_puts(out, "]}\n");
}
