/*
 * What cleaning and tokenising an O*NET title costs on one core, and a hostile megabyte. Reads JOBCODE_WEIGHTS
 * (vocab.txt) and JOBCODE_ONET_DIR; prints one JSON object a line.
 */
#include <limits.h>

#include "base/clock.h"
#include "base/file.h"
#include "check.h"
#include "text/posting.h"
#include "text/tokenizer.h"

#define MAX_TOKENS 256
#define MAX_FILE_BYTES (64u << 20)
#define N_ROUNDS 20

struct title {
    const char *text;
    size_t n;
};

static struct jc_err err;

static const char *find_input(const char *variable, const char *file)
{
    static char path[PATH_MAX];
    if (!getenv(variable))
        check_skip(variable);
    REQUIRE_OK(jc_path_join(path, sizeof path, getenv(variable), file, &err));
    return path;
}

/* The second column of every row but the first, pointing into `tsv`. */
static struct title *split_titles(char *tsv, size_t *ret_n)
{
    size_t n_rows = 0;
    for (const char *p = tsv; (p = strchr(p, '\n')); p++)
        n_rows++;
    struct title *titles = calloc(n_rows + 1, sizeof *titles);
    REQUIRE(titles != NULL);
    *ret_n = 0;
    for (char *row = strchr(tsv, '\n'); row && *++row; row = strchr(row, '\n')) {
        const char *title = strchr(row, '\t');
        REQUIRE(title != NULL);
        titles[(*ret_n)++] = (struct title){title + 1, strcspn(title + 1, "\t\r\n")};
    }
    return titles;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* The fastest of N_ROUNDS passes, in nanoseconds a title. */
static double time_encoding(const struct jc_tokenizer *tokenizer, const struct title *titles, size_t n, size_t *ret_ids)
{
    double best = HUGE_VAL;
    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t start = jc_clock_ns();
        *ret_ids = 0;
        for (size_t i = 0; i < n; i++) {
            int32_t ids[MAX_TOKENS];
            size_t n_ids = 0;
            REQUIRE_OK(jc_tokenizer_encode(tokenizer, titles[i].text, titles[i].n, 1, ids, &n_ids, &err));
            *ret_ids += n_ids;
        }
        best = smaller(best, (double)(jc_clock_ns() - start) / (double)n);
    }
    return best;
}

static double time_cleaning(const struct title *titles, size_t n)
{
    double best = HUGE_VAL;
    JC_AUTO_BUF struct jc_buf text = {0};
    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t start = jc_clock_ns();
        for (size_t i = 0; i < n; i++) {
            struct jc_posting posting = {.title = titles[i].text, .n_title = titles[i].n};
            REQUIRE_OK(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err));
        }
        best = smaller(best, (double)(jc_clock_ns() - start) / (double)n);
    }
    return best;
}

/* A megabyte of one pattern. */
static void time_hostile(const struct jc_tokenizer *tokenizer, const char *name, const char *pattern)
{
    static char text[1 << 20];
    size_t n_pattern = strlen(pattern), n = 0, n_ids = 0;
    for (; n + n_pattern <= sizeof text; n += n_pattern)
        memcpy(text + n, pattern, n_pattern);
    struct title whole = {text, n};
    double ns = time_encoding(tokenizer, &whole, 1, &n_ids);
    printf("{\"text\":\"%s\",\"bytes\":%zu,\"ids\":%zu,\"encode_ms\":%.3f}\n", name, n, n_ids, ns / 1e6);
}

int main(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = NULL;
    REQUIRE_OK(jc_tokenizer_load(find_input("JOBCODE_WEIGHTS", "vocab.txt"), MAX_TOKENS, &tokenizer, &err));
    JC_AUTO_BUF struct jc_buf tsv = {0};
    REQUIRE_OK(jc_file_read(find_input("JOBCODE_ONET_DIR", "Alternate Titles.txt"), MAX_FILE_BYTES, &tsv, &err));
    size_t n = 0, n_ids = 0;
    JC_AUTO_FREE struct title *titles = split_titles(tsv.data, &n);
    double encode_ns = time_encoding(tokenizer, titles, n, &n_ids);
    printf("{\"text\":\"alternate titles\",\"titles\":%zu,\"ids_a_title\":%.2f,\"clean_ns\":%.0f,\"encode_ns\":%.0f}\n",
           n, (double)n_ids / (double)n, time_cleaning(titles, n), encode_ns);
    time_hostile(tokenizer, "one word", "a");
    time_hostile(tokenizer, "words without pieces", "zqxjkvbw\xf0\x9f\x98\x80 ");
    time_hostile(tokenizer, "marks that are kept", "\xe3\x80\xae\xe1\xad\x84");
    time_hostile(tokenizer, "marks that are stripped", "\xcc\x81");
    time_hostile(tokenizer, "zero-width spaces", "\xe2\x80\x8b");
    return check_finish();
}
