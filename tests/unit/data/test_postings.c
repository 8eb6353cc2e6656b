/* Postings: columns by mapping, labels, dates against timegm, bad rows with line and reason. */
#include "data/postings.h"

#include <time.h>

#include "base/rng.h"
#include "data_files.h"

static void open_postings(const char *name, const char *text, const struct jc_posting_columns *columns,
                          struct jc_postings **ret_postings)
{
    REQUIRE_OK(jc_postings_open(write_text(name, text), JC_RECORDS_AUTO, columns, ret_postings, &err));
}

static bool next(struct jc_postings *postings, struct jc_posting_row *ret_row)
{
    bool more;
    REQUIRE_OK(jc_postings_next(postings, &more, ret_row, &err));
    return more;
}

static void test_study(void)
{
    JC_AUTO(jc_postings) struct jc_postings *postings = NULL;
    struct jc_posting_row row;
    open_postings("a.csv",
                  "\xef\xbb\xbfID,POSTED,TITLE_RAW,BODY,ONET_NAME,ONET\r\n"
                  "7,2024-02-29,Baker,\"<p>Bake\r\nbread</p>\",Bakers,51-3011.00\r\n"
                  "8,29.2.2024,,Body, Unclassified ,\r\n"
                  "9,,Actor,,Actors, 27-2011 \r\n",
                  &jc_posting_columns_default, &postings);
    REQUIRE(next(postings, &row) && !row.bad);
    CHECK_INT(row.line, 2);
    CHECK_STR(row.id.text, "7");
    CHECK_STR(row.posted.text, "2024-02-29");
    CHECK_INT(row.posted_s, 1709164800);
    CHECK_STR(row.title.text, "Baker");
    CHECK_STR(row.body.text, "<p>Bake\r\nbread</p>");
    CHECK_STR(row.name.text, "Bakers");
    CHECK_STR(row.code, "51-3011.00");
    CHECK(!row.unclassified);
    REQUIRE(next(postings, &row) && !row.bad);
    CHECK_INT(row.line, 4);
    CHECK_INT(row.posted_s, 0);
    CHECK_STR(row.code, "");
    CHECK(row.unclassified);
    REQUIRE(next(postings, &row) && !row.bad);
    CHECK_STR(row.code, "27-2011.00");
    CHECK_INT(row.posted_s, 0);
    CHECK(!next(postings, &row));
}

static void test_mapping(void)
{
    /* No id, no date, no name; one column is title and body. */
    static const struct jc_posting_columns columns = {.id = "nr", .title = "text", .body = "text", .code = "soc"};
    JC_AUTO(jc_postings) struct jc_postings *postings = NULL;
    struct jc_posting_row row;
    open_postings("a.jsonl",
                  "{\"soc\":\"51-3011\",\"text\":\"Baker\",\"tags\":[1]}\n{\"nr\":12,\"text\":\"x\",\"soc\":null}\n",
                  &columns, &postings);
    REQUIRE(next(postings, &row) && !row.bad);
    CHECK_STR(row.id.text, "");
    CHECK_STR(row.title.text, "Baker");
    CHECK_STR(row.body.text, "Baker");
    CHECK_STR(row.name.text, "");
    CHECK_STR(row.code, "51-3011.00");
    REQUIRE(next(postings, &row));
    CHECK_STR(row.bad, "'soc' is empty");
    CHECK_STR(row.id.text, "12");
}

/* Row 2 of a file in the study's format with this label, title and body. */
static void check_row(const char *label, const char *name, const char *title, const char *body, const char *code,
                      bool unclassified, const char *bad)
{
    char text[500];
    snprintf(text, sizeof(text), "TITLE_RAW,BODY,ONET_NAME,ONET\n%s,%s,%s,%s\n", title, body, name, label);
    JC_AUTO(jc_postings) struct jc_postings *postings = NULL;
    struct jc_posting_row row;
    open_postings("a.csv", text, &jc_posting_columns_default, &postings);
    REQUIRE(next(postings, &row));
    CHECK_STR(row.bad ? row.bad : "", bad);
    CHECK_INT(row.line, 2);
    CHECK(row.unclassified == unclassified);
    if (!row.bad)
        CHECK_STR(row.code, code);
    CHECK(row.raw.n == strlen(text) - strlen("TITLE_RAW,BODY,ONET_NAME,ONET\n\n"));
}

static void test_rows(void)
{
    check_row("15-1252.01", "", "t", "b", "15-1252.01", false, "");
    check_row("\"\r\n15-1252 \"", "", "t", "", "15-1252.00", false, "");
    check_row("UNCLASSIFIED", "", "t", "", "", true, "");
    check_row("", "unclassified", "t", "", "", true, "");
    check_row(" ", "Unclassified", " ", "b", "", true, "");
    check_row("99-9999.00", "x", "t", "", "", true, "");
    check_row("15-1252.01", "Unclassified", "t", "", "15-1252.01", false, "");
    check_row("", "Unclassified soon", "t", "", "", false, "'ONET' is empty");
    check_row("", "", "t", "", "", false, "'ONET' is empty");
    check_row("151252", "", "t", "", "", false, "'ONET' is '151252', not a code like 15-1252.00");
    check_row("15-1252.0", "", "t", "", "", false, "'ONET' is '15-1252.0', not a code like 15-1252.00");
    check_row("15-1252.001", "", "t", "", "", false, "'ONET' is '15-1252.001', not a code like 15-1252.00");
    check_row("15-12.2.00", "", "t", "", "", false, "'ONET' is '15-12.2.00', not a code like 15-1252.00");
    check_row("15-1252.00", "", " ", "\t", "", false, "neither a title nor a body");
    check_row("15-1252.00,x", "", "t", "", "", false, "5 fields, the header has 4");
}

static void check_missing(const char *name, const char *text, const char *part)
{
    struct jc_postings *postings = NULL;
    CHECK_FAILS(jc_postings_open(write_text(name, text), JC_RECORDS_AUTO, &jc_posting_columns_default, &postings, &err),
                JC_E_FORMAT, part);
    CHECK(!postings);
}

static void test_missing_columns(void)
{
    check_missing("a.csv", "Title,ONET\n",
                  "a.csv: no column 'TITLE_RAW' (title) or 'BODY' (body); there are: 'Title', 'ONET'");
    check_missing("a.tsv", "BODY\n", "a.tsv: no column 'ONET' (code); there is: 'BODY'");
    check_missing("a.jsonl", "", "a.jsonl: no column 'TITLE_RAW' (title) or 'BODY' (body); there are: none");
    check_missing("a.jsonl", "{\"TITLE_RAW\":1,\"code\":2}\n",
                  "no column 'ONET' (code); there are: 'TITLE_RAW', 'code'");
    check_missing("a.csv", "ONET,BODY,BODY\n", "columns 2 and 3 are both called 'BODY'");

    struct jc_postings *postings = NULL;
    static const struct jc_posting_columns none = {.id = "ID"};
    CHECK_FAILS(jc_postings_open(write_text("a.csv", "ID\n1\n"), JC_RECORDS_AUTO, &none, &postings, &err), JC_E_FORMAT,
                "no column '(none)' (title) or '(none)' (body); there is: 'ID'");
    struct jc_posting_columns named = jc_posting_columns_default;
    named.title = "JOB";
    CHECK_FAILS(jc_postings_open(write_text("a.csv", "BODY,ONET\n"), JC_RECORDS_AUTO, &named, &postings, &err),
                JC_E_FORMAT, "a.csv: no column 'JOB'; there are: 'BODY', 'ONET'");
    named = jc_posting_columns_default;
    named.split = "FOLD";
    CHECK_FAILS(jc_postings_open(write_text("a.csv", "BODY,ONET\n"), JC_RECORDS_AUTO, &named, &postings, &err),
                JC_E_FORMAT, "no column 'FOLD'");
    CHECK_FAILS(jc_postings_open("/nonexistent.csv", JC_RECORDS_AUTO, &none, &postings, &err), JC_E_NOT_FOUND, "open");
}

static void check_date(const char *text, int64_t want)
{
    int64_t s = -1;
    CHECK(jc_posting_date_parse(text, strlen(text), &s));
    CHECK_INT(s, want);
}

static void check_no_date(const char *text)
{
    int64_t s = -1;
    check_report(!jc_posting_date_parse(text, strlen(text), &s) && s == -1, __FILE__, __LINE__, "'%s' is a date", text);
}

static void test_dates(void)
{
    check_date("1970-01-01", 0);
    check_date(" 2000-03-01 ", 951868800);
    check_date("2024-02-29T23:59:59Z", 1709251199);
    check_date("2024-02-29 23:59", 1709251140);
    check_date("2024-02-29T23:59:59.999999+02:00", 1709251199 - 7200);
    check_date("2024-02-29T23:59:59-0530", 1709251199 + 19800);
    check_date("2024-02-29T23:59:59+02", 1709251199 - 7200);
    check_date("1969-12-31T23:59:58", -2);
    static const char *const wrong[] = {"",
                                        "2024",
                                        "2024-2-29",
                                        "2023-02-29",
                                        "2100-02-29",
                                        "2024-13-01",
                                        "2024-00-01",
                                        "2024-01-00",
                                        "2024-04-31",
                                        "1899-12-31",
                                        "2200-01-01",
                                        "2024-01-01x",
                                        "2024-01-01T",
                                        "2024-01-01T24:00",
                                        "2024-01-01T10",
                                        "2024-01-01T10:60",
                                        "2024-01-01T10:00:61",
                                        "2024-01-01T10:00:00.",
                                        "2024-01-01T10:00+",
                                        "2024-01-01T10:00+1",
                                        "2024-01-01T10:00+02:",
                                        "2024-01-01T10:00+24:00",
                                        "2024-01-01T10:00ZZ",
                                        "29.02.2024",
                                        "02/29/2024",
                                        "20240229"};
    for (size_t i = 0; i < JC_COUNT(wrong); i++)
        check_no_date(wrong[i]);
    /* Every instant between is libc's. */
    struct jc_rng rng = jc_rng_seeded(1);
    for (int i = 0; i < 20000; i++) {
        struct tm tm;
        time_t t = (time_t)(jc_rng_unit(&rng) * 9.4e9) - (time_t)2.2e9;
        char text[40];
        REQUIRE(gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm));
        check_date(text, timegm(&tm));
    }
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_study();
    test_mapping();
    test_rows();
    test_missing_columns();
    test_dates();
    jc_postings_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
