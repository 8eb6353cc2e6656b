/* vocab: loading and its errors; the longest match against a search through all tokens. */
#include "text/vocab.h"

#include "base/rng.h"
#include "check.h"
#include "temp_file.h"

static struct jc_err err;

static struct jc_vocab *load(const char *text)
{
    struct jc_vocab *vocab = NULL;
    REQUIRE_OK(jc_vocab_load(write_temp(text, strlen(text)), &vocab, &err));
    return vocab;
}

static void test_ids(void)
{
    JC_AUTO(jc_vocab) struct jc_vocab *vocab = load("[UNK]\nnurse\n##s\r\n\xc3\xa9\n#\n##");
    CHECK_INT(jc_vocab_size(vocab), 6);
    CHECK_INT(jc_vocab_find(vocab, "[UNK]", 5), 0);
    CHECK_INT(jc_vocab_find(vocab, "nurse", 5), 1);
    CHECK_INT(jc_vocab_find(vocab, "##s", 3), 2);
    CHECK_INT(jc_vocab_find(vocab, "\xc3\xa9", 2), 3);
    CHECK_INT(jc_vocab_find(vocab, "#", 1), 4);
    CHECK_INT(jc_vocab_find(vocab, "##", 2), 5);
    CHECK_INT(jc_vocab_find(vocab, "s", 1), -1);
    CHECK_INT(jc_vocab_find(vocab, "nurs", 4), -1);
    CHECK_INT(jc_vocab_find(vocab, "nurses", 6), -1);
    CHECK_INT(jc_vocab_find(vocab, "", 0), -1);
    size_t n = 0;
    CHECK_INT(jc_vocab_longest(vocab, false, "nurses", 6, &n), 1);
    CHECK_INT(n, 5);
    CHECK_INT(jc_vocab_longest(vocab, true, "ss", 2, &n), 2);
    CHECK_INT(n, 1);
    CHECK_INT(jc_vocab_longest(vocab, false, "s", 1, &n), -1);
    CHECK_INT(jc_vocab_longest(vocab, true, "nurse", 5, &n), -1);
    CHECK_INT(jc_vocab_longest(vocab, true, "", 0, &n), -1); /* "##" is no empty piece */
}

static void check_refused(const char *text, size_t n, const char *part)
{
    struct jc_vocab *vocab = NULL;
    CHECK_FAILS(jc_vocab_load(write_temp(text, n), &vocab, &err), JC_E_FORMAT, part);
    CHECK(!vocab);
}

static void test_refused(void)
{
    check_refused("", 0, "no token");
    check_refused("a\nb\na\n", 6, "line 3: the token of line 1 again");
    check_refused("a\n\nb\n", 5, "line 2: no token");
    check_refused("a\n\r\nb\n", 6, "line 2: no token");
    check_refused("a\nb\xff\n", 5, "line 2: token: invalid UTF-8 at byte 1");
    struct jc_vocab *vocab = NULL;
    CHECK_FAILS(jc_vocab_load("/nonexistent/vocab.txt", &vocab, &err), JC_E_NOT_FOUND, "/nonexistent/vocab.txt");
}

#define N_TOKENS 2000
#define MAX_PIECE 60

static size_t write_piece(struct jc_rng *rng, char *ret_piece)
{
    static const char *const letters[] = {"a", "b", "c", "\xc3\xa9", "\xe6\xbc\xa2"};
    size_t n_letters = 1 + jc_rng_next(rng) % (jc_rng_next(rng) % 8 == 0 ? 18 : 6);
    ret_piece[0] = 0;
    for (size_t i = 0; i < n_letters; i++)
        strcat(ret_piece, letters[jc_rng_next(rng) % 5]);
    return strlen(ret_piece);
}

/* The longest token by trying each of them. */
static int32_t search(char (*tokens)[MAX_PIECE + 3], size_t n_tokens, int inside, const char *text, size_t n,
                      size_t *ret_n)
{
    int32_t best = -1;
    *ret_n = 0;
    for (size_t id = 0; id < n_tokens; id++) {
        if (inside && strncmp(tokens[id], "##", 2) != 0)
            continue;
        const char *piece = tokens[id] + (inside ? 2 : 0);
        size_t n_piece = strlen(piece);
        if (n_piece > *ret_n && n_piece <= n && memcmp(piece, text, n_piece) == 0) {
            *ret_n = n_piece;
            best = (int32_t)id;
        }
    }
    return best;
}

static void test_longest(void)
{
    static char tokens[N_TOKENS][MAX_PIECE + 3];
    static char file[N_TOKENS * (MAX_PIECE + 4)];
    struct jc_rng rng = jc_rng_seeded(7);
    size_t n_tokens = 0;
    while (n_tokens < N_TOKENS) {
        char *token = tokens[n_tokens];
        char piece[MAX_PIECE + 1];
        write_piece(&rng, piece);
        sprintf(token, "%s%s", jc_rng_next(&rng) % 2 ? "##" : "", piece);
        size_t same = 0;
        while (same < n_tokens && strcmp(tokens[same], token) != 0)
            same++;
        if (same == n_tokens) {
            strcat(strcat(file, token), "\n");
            n_tokens++;
        }
    }
    JC_AUTO(jc_vocab) struct jc_vocab *vocab = load(file);
    CHECK_INT(jc_vocab_size(vocab), N_TOKENS);
    for (int i = 0; i < 20000; i++) {
        char text[2 * MAX_PIECE + 1];
        size_t n = write_piece(&rng, text);
        n += write_piece(&rng, text + n);
        int inside = i % 2;
        size_t n_want = 0, n_got = 0;
        int32_t want = search(tokens, n_tokens, inside, text, n, &n_want);
        CHECK_INT(jc_vocab_longest(vocab, inside, text, n, &n_got), want);
        CHECK_INT(n_got, n_want);
    }
}

int main(void)
{
    test_ids();
    test_refused();
    test_longest();
    return check_finish();
}
