/* Buckets: those that are chosen, those that are given as text, and what is left of them where memory is short. */
#include "cuda/buckets.h"

#include <string.h>

#include "check.h"

static struct jc_err err;

static void check_rows(const struct jc_cuda_buckets *buckets, const size_t *want, size_t n)
{
    CHECK_INT(buckets->n, n);
    for (size_t i = 0; i < n && i < buckets->n; i++)
        CHECK_INT(buckets->rows[i], want[i]);
}

static void check_chosen(void)
{
    static const size_t want[] = {16, 32, 48, 64, 96, 112};
    struct jc_cuda_buckets buckets = jc_cuda_buckets_up_to(112);
    check_rows(&buckets, want, JC_COUNT(want));
    buckets = jc_cuda_buckets_up_to(JC_CUDA_MAX_ROWS);
    REQUIRE(buckets.n <= JC_CUDA_MAX_BUCKETS);
    CHECK_INT(jc_cuda_buckets_last(&buckets), JC_CUDA_MAX_ROWS);
    for (size_t i = 1; i < buckets.n; i++)
        CHECK(buckets.rows[i] > buckets.rows[i - 1] && buckets.rows[i] <= 2 * buckets.rows[i - 1] &&
              buckets.rows[i] % JC_CUDA_ROW_STEP == 0);
}

static void check_parse(void)
{
    static const size_t want[] = {64, 256, 65536};
    static const char *const forms[][3] = {{"64 256 65536"}, {"64", "256", "65536"}, {"  64\t256 ", "65536"}};
    static const size_t n_items[] = {1, 3, 2};
    struct jc_cuda_buckets buckets;
    for (size_t i = 0; i < JC_COUNT(forms); i++) {
        REQUIRE_OK(jc_cuda_buckets_parse(forms[i], n_items[i], &buckets, &err));
        check_rows(&buckets, want, JC_COUNT(want));
    }
    REQUIRE_OK(jc_cuda_buckets_parse((const char *const[]){"auto"}, 1, &buckets, &err));
    CHECK_INT(buckets.n, 0);
}

static void check_refused(void)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "not ''"},
        {"  ", "not ''"},
        {"auto 64", "not 'auto'"},
        {"64 x", "expected auto, or ascending token counts such as 64 256 1024 8192, not 'x'"},
        {"-64", "not '-64'"},
        {"64 256k", "not '256k'"},
        {"0", "expected multiples of 16, at most 65536, not '0'"},
        {"64 100", "not '100'"},
        {"65552", "not '65552'"},
        {"18446744073709551632", "not '18446744073709551632'"},
        {"64 64", "expected ascending counts, not '64' after '64'"},
        {"256 64", "expected ascending counts, not '64' after '256'"},
    };
    struct jc_cuda_buckets buckets = {.n = 7};
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        CHECK_FAILS(jc_cuda_buckets_parse(&rows[i].text, 1, &buckets, &err), JC_E_INVALID, rows[i].part);
    CHECK_FAILS(jc_cuda_buckets_parse(NULL, 0, &buckets, &err), JC_E_INVALID, "not ''");

    char many[(JC_CUDA_MAX_BUCKETS + 1) * 8] = "";
    for (size_t i = 1; i <= JC_CUDA_MAX_BUCKETS + 1; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%zu ", i * 16);
    const char *text = many;
    CHECK_FAILS(jc_cuda_buckets_parse(&text, 1, &buckets, &err), JC_E_INVALID, "'528' is one too many: at most 32");
    CHECK_INT(buckets.n, 7);
}

static void check_settle(void)
{
    const struct jc_cuda_buckets wanted = {.n = 2, .rows = {64, 256}}, automatic = {0};
    struct jc_cuda_buckets buckets;
    REQUIRE_OK(jc_cuda_buckets_settle(&wanted, 256, &buckets, &err));
    check_rows(&buckets, wanted.rows, 2);
    CHECK_FAILS(jc_cuda_buckets_settle(&wanted, 257, &buckets, &err), JC_E_INVALID,
                "the last, 256, has no room for a text of the encoder's 257 tokens");
    REQUIRE_OK(jc_cuda_buckets_settle(NULL, 256, &buckets, &err));
    CHECK_INT(jc_cuda_buckets_last(&buckets), 8192);
    REQUIRE_OK(jc_cuda_buckets_settle(&automatic, 9000, &buckets, &err));
    CHECK_INT(jc_cuda_buckets_last(&buckets), 9008);
    CHECK_FAILS(jc_cuda_buckets_settle(NULL, 65537, &buckets, &err), JC_E_INVALID, "texts of 65537 tokens");
}

/* Down to one text, and no further. */
static void check_shrink(void)
{
    struct jc_cuda_buckets buckets = {.n = 4, .rows = {64, 128, 512, 1024}};
    CHECK(jc_cuda_buckets_shrink(&buckets, 250));
    check_rows(&buckets, (const size_t[]){64, 128, 512}, 3);
    CHECK(jc_cuda_buckets_shrink(&buckets, 250));
    check_rows(&buckets, (const size_t[]){64, 128, 256}, 3);
    CHECK(!jc_cuda_buckets_shrink(&buckets, 250));
    check_rows(&buckets, (const size_t[]){64, 128, 256}, 3);

    size_t n_times = 0;
    buckets = jc_cuda_buckets_up_to(JC_CUDA_MAX_ROWS);
    for (size_t last = JC_CUDA_MAX_ROWS; jc_cuda_buckets_shrink(&buckets, 100); n_times++) {
        CHECK(jc_cuda_buckets_last(&buckets) < last);
        last = jc_cuda_buckets_last(&buckets);
    }
    CHECK(n_times > 10);
    CHECK_INT(jc_cuda_buckets_last(&buckets), 112);
}

int main(void)
{
    check_chosen();
    check_parse();
    check_refused();
    check_settle();
    check_shrink();
    return check_finish();
}
