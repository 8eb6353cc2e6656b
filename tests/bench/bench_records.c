/*
 * What reading postings costs on one core: 50,000 of the study's shape with HTML bodies of some 2 KiB, as CSV, JSON
 * lines and gzip, from the page cache. Prints one JSON object a format, with the most memory the process has taken.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "data/postings.h"
#include "data_files.h"

enum { N_ROWS = 50000, N_ROUNDS = 5, BODY_BYTES = 2048 };

static void put_body(struct jc_buf *body, struct jc_rng *rng)
{
    static const char *const pieces[] = {
        "<p>",     "</p>\n", "<li class=\"skill\">", "</li>\n",          "&amp; ",   "experience ",
        "of the ", "team, ", "caf\xc3\xa9 ",         "responsible for ", "salary: ", "years "};
    jc_buf_clear(body);
    while (body->n < BODY_BYTES)
        jc_buf_puts(body, pieces[jc_rng_next(rng) % JC_COUNT(pieces)]);
}

static void put_quoted(struct jc_buf *csv, const struct jc_buf *body)
{
    jc_buf_putc(csv, '"');
    for (size_t i = 0; i < body->n; i++) {
        if (body->data[i] == '"')
            jc_buf_putc(csv, '"');
        jc_buf_putc(csv, body->data[i]);
    }
    jc_buf_putc(csv, '"');
}

static void make_tables(struct jc_buf *csv, struct jc_buf *jsonl)
{
    struct jc_rng rng = jc_rng_seeded(1);
    JC_AUTO_BUF struct jc_buf body = {0};
    jc_buf_puts(csv, "ID,POSTED,TITLE_RAW,BODY,ONET_NAME,ONET\r\n");
    for (int i = 0; i < N_ROWS; i++) {
        put_body(&body, &rng);
        jc_buf_printf(csv, "%d,2024-05-%02d,\"Baker, shift %d\",", i, 1 + i % 28, i % 7);
        put_quoted(csv, &body);
        jc_buf_puts(csv, ",Bakers,51-3011.00\r\n");
        jc_buf_printf(jsonl, "{\"ID\":%d,\"POSTED\":\"2024-05-%02d\",\"TITLE_RAW\":\"Baker, shift %d\",\"BODY\":", i,
                      1 + i % 28, i % 7);
        jc_buf_put_json(jsonl, body.data, body.n);
        jc_buf_puts(jsonl, ",\"ONET_NAME\":\"Bakers\",\"ONET\":\"51-3011.00\"}\n");
    }
    REQUIRE_OK(jc_buf_check(csv, &err));
    REQUIRE_OK(jc_buf_check(jsonl, &err));
}

static uint64_t time_reading(const char *path)
{
    JC_AUTO(jc_postings) struct jc_postings *postings = NULL;
    struct jc_posting_row row;
    uint64_t start = jc_clock_ns();
    size_t n = 0;
    REQUIRE_OK(jc_postings_open(path, JC_RECORDS_AUTO, &jc_posting_columns_default, &postings, &err));
    for (bool more = true; more; n += more) {
        REQUIRE_OK(jc_postings_next(postings, &more, &row, &err));
        REQUIRE(!more || (!row.bad && row.body.n >= BODY_BYTES));
    }
    CHECK_INT(n, N_ROWS);
    return jc_clock_ns() - start;
}

/* The most memory of this process so far (getrusage would count what ran before exec, too). */
static const char *find_peak_kib(void)
{
    static struct jc_buf status;
    jc_buf_clear(&status);
    REQUIRE_OK(jc_file_read("/proc/self/status", 1 << 16, &status, &err));
    char *value = strstr(status.data, "VmHWM:");
    if (!value)
        return "null";
    value += strcspn(value, "0123456789");
    value[strspn(value, "0123456789")] = '\0';
    return value;
}

/* The fastest of N_ROUNDS, in rows and MiB of text (uncompressed) a second. */
static void report(const char *name, size_t n_text)
{
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t ns = time_reading(path_of(name));
        best = ns < best ? ns : best;
    }
    double s = (double)best / (double)JC_NS_PER_S;
    printf("{\"file\":\"%s\",\"rows\":%d,\"mib\":%.1f,\"rows_s\":%.0f,\"mib_s\":%.0f,\"peak_kib\":%s}\n", name, N_ROWS,
           (double)n_text / 1048576, N_ROWS / s, (double)n_text / 1048576 / s, find_peak_kib());
}

/* In a process of its own, so that the reader's memory is what is measured later. */
static void write_tables(size_t ret_n[2])
{
    JC_AUTO_BUF struct jc_buf csv = {0}, jsonl = {0}, gzip = {0};
    make_tables(&csv, &jsonl);
    write_file("a.csv", csv.data, csv.n);
    write_file("a.jsonl", jsonl.data, jsonl.n);
    put_gzip(&gzip, csv.data, csv.n, 6);
    write_file("a.csv.gz", gzip.data, gzip.n);
    ret_n[0] = csv.n;
    ret_n[1] = jsonl.n;
}

int main(void)
{
    size_t n[2];
    int pipe_fds[2];
    REQUIRE(mkdtemp(folder) && pipe(pipe_fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        write_tables(n);
        _exit(write(pipe_fds[1], n, sizeof(n)) == sizeof(n) ? 0 : 1);
    }
    close(pipe_fds[1]);
    REQUIRE(child > 0 && read(pipe_fds[0], n, sizeof(n)) == sizeof(n));
    report("a.csv", n[0]);
    report("a.jsonl", n[1]);
    report("a.csv.gz", n[0]);
    jc_dir_remove(folder);
    return check_finish();
}
