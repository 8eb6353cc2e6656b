/*
 * Makes a small complete model bundle over the fake encoder, for tests of everything that needs a model and no weights.
 *     make_fake_bundle [--exemplars] [--categories N] [--variant NN] OUTDIR
 * Its vocabulary is a few words, then letters and digits, so that any ASCII word has tokens. A category's embedding is
 * the fake vector of its title: a posting that shares words with a title finds it. With exemplars a few texts vote,
 * too. A variant has NN in place of the last two digits of every code, so that an answer shows which bundle it is from.
 * More categories than there are real ones are filler: with 100,000 a title costs as much as with the real encoder.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/file.h"
#include "base/parse.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

enum { MAX_TOKENS = 128, N_CANARIES = 4, MAX_CODES = 2, MAX_CATEGORIES = 100000 };

static const struct jc_category categories[] = {
    {"11-1021.00", "General and Operations Managers"},
    {"11-2022.00", "Sales Managers"},
    {"11-9033.00", "Education Administrators"},
    {"13-2011.00", "Accountants and Auditors"},
    {"15-1211.00", "Computer Systems Analysts"},
    {"15-1252.00", "Software Developers"},
    {"15-1242.00", "Database Administrators"},
    {"17-2051.00", "Civil Engineers"},
    {"17-2071.00", "Electrical Engineers"},
    {"17-2141.00", "Mechanical Engineers"},
    {"19-2031.00", "Chemists"},
    {"21-1023.00", "Mental Health Social Workers"},
    {"23-1011.00", "Lawyers"},
    {"25-2021.00", "Elementary School Teachers"},
    {"25-2031.00", "Secondary School Teachers"},
    {"27-1024.00", "Graphic Designers"},
    {"29-1051.00", "Pharmacists"},
    {"29-1123.00", "Physical Therapists"},
    {"29-1141.00", "Registered Nurses"},
    {"29-1171.00", "Nurse Practitioners"},
    {"29-2061.00", "Licensed Practical Nurses"},
    {"31-1131.00", "Nursing Assistants"},
    {"33-2011.00", "Firefighters"},
    {"33-9032.00", "Security Guards"},
    {"35-1011.00", "Chefs and Head Cooks"},
    {"35-3031.00", "Waiters and Waitresses"},
    {"37-2011.00", "Janitors and Cleaners"},
    {"39-9011.00", "Childcare Workers"},
    {"41-2011.00", "Cashiers"},
    {"41-2031.00", "Retail Salespersons"},
    {"43-4051.00", "Customer Service Representatives"},
    {"43-6014.00", "Secretaries"},
    {"45-2092.00", "Farmworkers"},
    {"47-2031.00", "Carpenters"},
    {"47-2111.00", "Electricians"},
    {"49-3023.00", "Automotive Mechanics"},
    {"51-4041.00", "Machinists"},
    {"51-4121.00", "Welders"},
    {"53-3032.00", "Heavy Truck Drivers"},
    {"53-7065.00", "Stockers and Order Fillers"},
};

/* The exemplars; codes in the order of the categories. */
static const struct {
    char text[32];
    const char *codes[MAX_CODES];
} texts[] = {
    {"icu nurse", {"29-1141.00"}},      {"night nurse", {"29-1141.00", "29-2061.00"}},
    {"java developer", {"15-1252.00"}}, {"database developer", {"15-1252.00", "15-1242.00"}},
    {"caf\u00e9 chef", {"35-1011.00"}}, {"truck driver", {"53-3032.00"}},
};

/* Singular forms first, as postings have them: greedy matching splits "nurses" into "nurse" and "##s". */
static const char *const words[] = {
    "nurse",     "developer", "software", "manager",   "engineer",   "registered", "senior",  "junior",     "teacher",
    "truck",     "driver",    "sales",    "computer",  "systems",    "analyst",    "data",    "database",   "school",
    "security",  "guard",     "lawyer",   "cook",      "chef",       "head",       "and",     "of",         "the",
    "heavy",     "welder",    "worker",   "assistant", "designer",   "customer",   "service", "health",     "physical",
    "therapist", "clerk",     "java",     "general",   "operations", "electrical", "civil",   "mechanical", "retail",
};

/* The categories with the variant's codes, and fillers. */
static struct jc_category varied[MAX_CATEGORIES];
static size_t n_varied;

static bool vary(const char *variant, size_t n)
{
    static char codes[MAX_CATEGORIES][16], fillers[MAX_CATEGORIES][32];
    if (strlen(variant) != 2 || strspn(variant, "0123456789") != 2 || n < JC_COUNT(categories) || n > MAX_CATEGORIES)
        return false;
    for (n_varied = 0; n_varied < n; n_varied++) {
        size_t i = n_varied;
        bool real = i < JC_COUNT(categories);
        snprintf(fillers[i], sizeof fillers[i], "filler %zu", i);
        if (real)
            snprintf(codes[i], sizeof codes[i], "%.8s%s", categories[i].code, variant);
        else
            snprintf(codes[i], sizeof codes[i], "%02zu-%04zu.%s", 60 + i / 10000, i % 10000, variant);
        varied[i] = (struct jc_category){.code = codes[i], .title = real ? categories[i].title : fillers[i]};
    }
    return true;
}

static jc_code write_vocab(const char *path, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_buf_puts(&text, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (size_t i = 0; i < JC_COUNT(words); i++)
        jc_buf_printf(&text, "%s\n", words[i]);
    for (char c = '!'; c <= '~'; c++)
        if (c < 'A' || c > 'Z')
            jc_buf_printf(&text, "%c\n##%c\n", c, c);
    jc_code code = jc_buf_check(&text, err);
    return code ? code : jc_file_write(path, text.data, text.n, err);
}

static jc_code encode_text(const struct jc_tokenizer *tokenizer, const struct jc_encoder *encoder, const char *text,
                           float *ret_vector, struct jc_err *err)
{
    int32_t ids[MAX_TOKENS];
    size_t n = 0;
    jc_code code = jc_tokenizer_encode(tokenizer, text, strlen(text), 1, ids, &n, err);
    uint32_t n_tokens = (uint32_t)n;
    return code ? code : jc_encoder_encode(encoder, ids, &n_tokens, 1, ret_vector, err);
}

static uint32_t find_category(const char *code)
{
    uint32_t i = 0;
    while (strcmp(categories[i].code, code) != 0)
        i++;
    return i;
}

static jc_code make_exemplars(const struct jc_tokenizer *tokenizer, const struct jc_encoder *encoder,
                              struct jc_exemplars *exemplars, struct jc_err *err)
{
    size_t dim = jc_encoder_info(encoder)->dim;
    jc_code code = jc_exemplars_init(exemplars, JC_COUNT(texts), dim, MAX_CODES * JC_COUNT(texts), sizeof texts, err);
    for (size_t i = 0; i < JC_COUNT(texts) && !code; i++) {
        size_t at = exemplars->code_begins[i];
        for (size_t c = 0; c < MAX_CODES && texts[i].codes[c]; c++) {
            exemplars->codes[at] = find_category(texts[i].codes[c]);
            exemplars->code_weights[at++] = 1;
        }
        exemplars->code_begins[i + 1] = at;
        strcpy(exemplars->text_data + exemplars->text_begins[i], texts[i].text);
        exemplars->text_begins[i + 1] = exemplars->text_begins[i] + strlen(texts[i].text) + 1;
        code = encode_text(tokenizer, encoder, texts[i].text, exemplars->vectors + i * dim, err);
    }
    exemplars->k = 3;
    exemplars->sharpness = 20;
    exemplars->weight = 0.6F;
    return code;
}

static jc_code fill_head(const char *vocab_path, const struct jc_encoder *encoder, bool has_exemplars,
                         struct jc_head *head, struct jc_err *err)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = NULL;
    jc_code code = jc_tokenizer_load(vocab_path, MAX_TOKENS, &tokenizer, err);
    for (size_t i = 0; i < n_varied && !code; i++)
        code = encode_text(tokenizer, encoder, varied[i].title, head->matrix + i * head->dim, err);
    if (!code && has_exemplars)
        code = make_exemplars(tokenizer, encoder, &head->exemplars, err);
    head->sharpness = 10;
    head->saturation = 2;
    head->power = 1.5F;
    head->min_confidence = 0; /* whatever comes first is accepted */
    return code;
}

/* The first titles are their own canaries. */
static jc_code fill_manifest(struct jc_manifest *manifest, struct jc_err *err)
{
    manifest->name = strdup("fake");
    manifest->taxonomy = strdup("O*NET-SOC 2019");
    manifest->method = strdup("direct");
    manifest->data_version = strdup("test");
    manifest->attribution = strdup("");
    manifest->encoder.kind = strdup(JC_ENCODER_FAKE);
    manifest->encoder.name = strdup("fake");
    manifest->encoder.max_tokens = MAX_TOKENS;
    manifest->encoder.part = strdup("title");
    manifest->encoder.chunks = 1;
    manifest->canaries = calloc(N_CANARIES, sizeof(*manifest->canaries));
    if (!manifest->name || !manifest->taxonomy || !manifest->method || !manifest->data_version ||
        !manifest->attribution || !manifest->encoder.kind || !manifest->encoder.name || !manifest->canaries)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    for (size_t i = 0; i < N_CANARIES; i++) {
        manifest->canaries[i].title = strdup(varied[i].title);
        manifest->canaries[i].code = strdup(varied[i].code);
        manifest->n_canaries++;
        if (!manifest->canaries[i].title || !manifest->canaries[i].code)
            return jc_fail(err, JC_E_NOMEM, "no memory for the canaries");
    }
    return JC_OK;
}

static jc_code make_bundle(const char *folder, bool has_exemplars, struct jc_err *err)
{
    char vocab_path[PATH_MAX];
    if (snprintf(vocab_path, sizeof(vocab_path), "%s.vocab.txt", folder) >= (int)sizeof(vocab_path))
        return jc_fail(err, JC_E_TOO_LARGE, "the path is too long");
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    if (!manifest)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    jc_code code;
    if ((code = fill_manifest(manifest, err)) ||
        (code = jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, err)))
        return code;

    size_t dim = jc_encoder_info(encoder)->dim;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    if ((code = jc_head_init(&head, n_varied, dim, 0, 0, err)))
        return code;
    struct jc_bundle_content content = {
        .manifest = manifest, .categories = varied, .head = &head, .vocab_path = vocab_path};
    if (!(code = write_vocab(vocab_path, err)) && !(code = fill_head(vocab_path, encoder, has_exemplars, &head, err)))
        code = jc_bundle_write(folder, &content, err);
    unlink(vocab_path);
    return code;
}

int main(int argc, char **argv)
{
    const char *variant = "00";
    int at = 1;
    bool has_exemplars = at < argc && strcmp(argv[at], "--exemplars") == 0;
    at += has_exemplars;
    uint64_t n = JC_COUNT(categories);
    struct jc_err err;
    if (at + 1 < argc && strcmp(argv[at], "--categories") == 0) {
        n = jc_parse_u64(argv[at + 1], &n, &err) == JC_OK ? n : 0;
        at += 2;
    }
    if (at + 1 < argc && strcmp(argv[at], "--variant") == 0) {
        variant = argv[at + 1];
        at += 2;
    }
    if (argc != at + 1 || argv[at][0] == '-' || !vary(variant, n)) {
        fputs("usage: make_fake_bundle [--exemplars] [--categories N] [--variant NN] OUTDIR\n", stderr);
        return 2;
    }
    if (make_bundle(argv[argc - 1], has_exemplars, &err)) {
        fprintf(stderr, "make_fake_bundle: %s\n", err.text);
        return 1;
    }
    return 0;
}
