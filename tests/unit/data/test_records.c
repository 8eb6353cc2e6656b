/* Readers of CSV, TSV and JSON lines: what each accepts, what is a bad row and how reading goes on, damaged files. */
#include "data/records.h"
#include "data_files.h"

/* Everything that is read, as text: "<line>:[field|field]" or "<line>!<reason>", one a line. */
static const char *read_all(struct jc_records *records)
{
    static struct jc_buf seen;
    struct jc_record record;
    jc_buf_clear(&seen);
    jc_buf_puts(&seen, "");
    for (bool more;;) {
        REQUIRE_OK(jc_records_next(records, &more, &record, &err));
        if (!more)
            break;
        jc_buf_printf(&seen, "%zu%s", record.line, record.bad ? "!" : ":[");
        for (size_t i = 0; i < record.n_fields; i++) {
            CHECK_INT(strlen(record.fields[i].text), record.fields[i].n);
            CHECK(!record.bad || record.fields[i].n == 0);
            if (!record.bad)
                jc_buf_printf(&seen, "%s%s", i ? "|" : "", record.fields[i].text);
        }
        jc_buf_printf(&seen, "%s\n", record.bad ? record.bad : "]");
    }
    REQUIRE_OK(jc_records_next(records, &(bool){true}, &record, &err));
    return seen.n ? seen.data : "";
}

static void check_bytes(const char *name, const char *text, size_t n, const char *want)
{
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    REQUIRE_OK(jc_records_open(write_file(name, text, n), JC_RECORDS_AUTO, &records, &err));
    CHECK_STR(read_all(records), want);
}

static void check_text(const char *name, const char *text, const char *want)
{
    check_bytes(name, text, strlen(text), want);
}

static void test_csv(void)
{
    check_text("a.csv", "a,b\n1,2\n", "2:[1|2]\n");
    check_text("a.csv", "a,b\r\n1,2\r\n\r\n3,4", "2:[1|2]\n4:[3|4]\n");
    check_text("a.csv", "\xef\xbb\xbf\"a\",b\n\"1\"\"x\",\"2,\r\n3\"\r\n4,\n", "2:[1\"x|2,\r\n3]\n4:[4|]\n");
    check_text("a.csv", "a,b\n,\n\"\",\"\"\n", "2:[|]\n3:[|]\n");
    check_text("a.csv", "a\n\"\"\n\n x \n", "2:[]\n4:[ x ]\n");
    check_text("a.csv", "a,b\n19\" rack,x \"y\"\n", "2:[19\" rack|x \"y\"]\n");
    check_text("a.csv", "a,b\n\"1\",\"2\"", "2:[1|2]\n");
    check_text("a.csv", "a,b\n\"\"\"\",\"\"\"\"\"\"\n", "2:[\"|\"\"]\n");
    check_text("a.csv", "a,b", "");
    check_text("a.CSV", "a;b,c\n1;2\n", "2!1 field, the header has 2\n");
    check_text("a.csv", "\"a,x\";b\n1,5;2\n", "2:[1,5|2]\n");
    check_text("a.csv", "a\tb\n\"1\n2\"\t3\n", "2:[1\n2|3]\n");
    /* A carriage return that ends no line is text. */
    check_text("a.csv", "a,b\n1\r,2\n", "2:[1\r|2]\n");
}

static void test_bad_csv_rows(void)
{
    check_text("a.csv", "a,b\n1\n1,2,3\n4,5\n", "2!1 field, the header has 2\n3!3 fields, the header has 2\n4:[4|5]\n");
    check_text("a.csv", "a,b\n\"1\"x,2\n3,4\n", "2!field 1: text behind the closing quote, at byte 3\n3:[3|4]\n");
    check_text("a.csv", "a,b\n1,\"2\n3,4\n5,6\n", "2!a quote is opened and not closed\n3:[3|4]\n4:[5|6]\n");
    check_text("a.csv", "a,b\n1,\"2", "2!a quote is opened and not closed\n");
    /* What spans lines behind an open quote is read line by line. */
    check_text("a.csv", "a,b\n1,\"2\na\",\"b\n5,6\n",
               "2!a quote is opened and not closed\n3!field 2: a quote is opened and not closed\n4:[5|6]\n");
    check_text("a.csv", "a,b\n1,caf\xe9\n3,4\n", "2!row: invalid UTF-8 at byte 5\n3:[3|4]\n");
    static const char with_nul[] = "a,b\n1,\0\n3,4\n";
    check_bytes("a.csv", with_nul, sizeof(with_nul) - 1, "2!a NUL at byte 2\n3:[3|4]\n");
    char wide[4096] = "a,b\n";
    memset(wide + 4, ',', 1500);
    strcpy(wide + 1504, "\n1,2\n");
    check_text("a.csv", wide, "2!more than 1024 fields\n3:[1|2]\n");
}

static void test_tsv(void)
{
    check_text("a.tsv",
               "\xef\xbb\xbf"
               "a\tb\r\n1\t\"2\r\n\n,\t\"\"\n",
               "2:[1|\"2]\n4:[,|\"\"]\n");
    check_text("a.tsv", "a\tb\n1\n2\t3", "2!1 field, the header has 2\n3:[2|3]\n");
}

static void test_jsonl(void)
{
    check_text("a.jsonl", "{\"a\": \"x\", \"b\": 1.50}\n\n {\"b\":null,\"a\":-0e+5}\r\n{}\n{\"c\":1,\"b\":\"\"}",
               "1:[x|1.50|]\n3:[-0e+5||]\n4:[||]\n5:[||1]\n");
    check_text("a.ndjson", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\xc3\xa9\"}",
               "1:[\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9]\n");
    check_text("a.jsonl", "", "");
    check_text("a.jsonl", "{\"a\":1}\n{\"a\":true}\n{\"a\":[1]}\n{\"a\":{}}\n{\"a\":1,\"a\":2}\n{\"a\":2}\n",
               "1:[1]\n2!'a' is true or false, not a string, a number or null\n"
               "3!'a' is an array, not a string, a number or null\n"
               "4!'a' is an object, not a string, a number or null\n5!key 'a' stands there twice\n6:[2]\n");
}

static void check_bad_json(const char *row, size_t column, const char *reason)
{
    char text[600], want[300];
    snprintf(text, sizeof(text), "{\"a\":1}\n%s\n{\"a\":2}", row);
    snprintf(want, sizeof(want), "1:[1]\n2!invalid JSON at column %zu: %s\n3:[2]\n", column, reason);
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    REQUIRE_OK(jc_records_open(write_text("a.jsonl", text), JC_RECORDS_AUTO, &records, &err));
    REQUIRE_OK(jc_records_select(records, (const char *const[]){"a"}, 1, &err));
    CHECK_STR(read_all(records), want);
}

static void test_bad_json(void)
{
    check_bad_json("[1]", 1, "an object is wanted");
    check_bad_json("{\"a\":1} x", 9, "text behind the object");
    check_bad_json("{\"a\":1,}", 8, "a key is wanted");
    check_bad_json("{a:1}", 2, "a key is wanted");
    check_bad_json("{\"a\" 1}", 6, "':' is wanted");
    check_bad_json("{\"a\":1 \"b\":2}", 8, "',' or '}' is wanted");
    check_bad_json("{\"a\":\"x", 8, "a string does not end");
    check_bad_json("{\"\xc3\xa9\":\"\tx\"}", 7, "a control character in a string");
    check_bad_json("{\"a\":\"\\x\"}", 8, "no such escape");
    check_bad_json("{\"a\":\"\\u12g4\"}", 11, "four hexadecimal digits are wanted");
    check_bad_json("{\"a\":\"\\u0000\"}", 13, "\\u0000 is no text");
    check_bad_json("{\"a\":\"\\ud800\"}", 13, "half a surrogate pair");
    check_bad_json("{\"a\":\"\\udc00\"}", 13, "half a surrogate pair");
    check_bad_json("{\"a\":01}", 7, "',' or '}' is wanted");
    check_bad_json("{\"a\":1.}", 8, "a number is malformed");
    check_bad_json("{\"a\":-}", 7, "a number is malformed");
    check_bad_json("{\"a\":1e}", 8, "a number is malformed");
    check_bad_json("{\"a\":nul}", 6, "a value is wanted");
    check_bad_json("{\"b\":[1,]}", 9, "a value is wanted");
    check_bad_json("{\"b\":{\"x\":1]}", 12, "',' or '}' is wanted");
    char deep[200] = "{\"b\":";
    memset(deep + 5, '[', 100);
    check_bad_json(deep, 70, "values nested too deep");
}

static void test_select(void)
{
    static const char *const names[] = {"c", "a", "none", "a"};
    JC_AUTO(jc_records) struct jc_records *csv = NULL, *jsonl = NULL, *twice = NULL;
    REQUIRE_OK(jc_records_open(write_text("a.csv", "a,b,c\n1,2,3\n"), JC_RECORDS_AUTO, &csv, &err));
    REQUIRE_OK(jc_records_select(csv, names, 4, &err));
    CHECK_STR(read_all(csv), "2:[3|1||1]\n");
    size_t n;
    const char *const *columns = jc_records_columns(csv, &n);
    REQUIRE(n == 3);
    CHECK_STR(columns[2], "c");
    CHECK_INT(jc_records_find(csv, "b"), 1);
    CHECK(jc_records_find(csv, "B") == JC_RECORDS_NO_COLUMN);
    CHECK_STR(jc_records_path(csv), path_of("a.csv"));

    /* Values that are not selected may be anything; a key may come late. */
    const char *text = "{\"a\":1,\"x\":[{\"k\":[true,{}]},\"s\"],\"c\":2}\n{\"none\":3,\"x\":false}\n";
    REQUIRE_OK(jc_records_open(write_text("a.jsonl", text), JC_RECORDS_AUTO, &jsonl, &err));
    REQUIRE_OK(jc_records_select(jsonl, names, 4, &err));
    CHECK_STR(read_all(jsonl), "1:[2|1||1]\n2:[||3|]\n");

    REQUIRE_OK(jc_records_open(write_text("a.csv", "a,b,a\n1,2,3\n"), JC_RECORDS_AUTO, &twice, &err));
    CHECK_FAILS(jc_records_select(twice, names, 2, &err), JC_E_FORMAT, "a.csv: columns 1 and 3 are both called 'a'");
}

/* A row of good CSV or JSON of `n` bytes in all fields together. */
static void put_long(struct jc_buf *buf, const char *before, size_t n, const char *after)
{
    jc_buf_puts(buf, before);
    char *to = jc_buf_reserve(buf, n);
    REQUIRE(to);
    memset(to, 'x', n);
    buf->n += n;
    jc_buf_puts(buf, after);
}

static void test_limits(void)
{
    const size_t mib = (size_t)1 << 20;
    JC_AUTO_BUF struct jc_buf csv = {0}, lines = {0};
    jc_buf_puts(&csv, "a\n");
    put_long(&csv, "", 16 * mib + 1, "\n1\n");
    put_long(&csv, "\"", 16 * mib + 1, "\ny\"\n2\n");
    put_long(&csv, "", 65 * mib, "\n3\n");
    for (int i = 0; i < 3; i++)
        put_long(&csv, i ? "" : "\"q\n", 30 * mib, "\n");
    jc_buf_puts(&csv, "4\n");
    put_long(&csv, "", 130 * mib, "");
    check_bytes("long.csv", csv.data, csv.n,
                "2!field 1: more than 16 MiB\n3:[1]\n4!field 1: more than 16 MiB\n6:[2]\n"
                "7!a line of more than 64 MiB\n8:[3]\n9!a row of more than 64 MiB (is a quote not closed?)\n"
                "10!field 1: more than 16 MiB\n11!field 1: more than 16 MiB\n12!field 1: more than 16 MiB\n13:[4]\n"
                "14!a line of more than 64 MiB\n");
    put_long(&lines, "{\"a\":\"", 16 * mib + 1, "\"}\n{\"a\":1}");
    check_bytes("long.jsonl", lines.data, lines.n, "1!'a': more than 16 MiB\n2:[1]\n");
}

/* Every line opens a quote, whether one is open or not: looked at from each line to the end, this would take hours. */
static void test_quotes_without_end(void)
{
    JC_AUTO_BUF struct jc_buf csv = {0};
    jc_buf_puts(&csv, "a,b,c\n");
    for (int i = 0; i < 400000; i++)
        jc_buf_puts(&csv, "a\",\",b\n");
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    REQUIRE_OK(jc_records_open(write_file("quotes.csv", csv.data, csv.n), JC_RECORDS_AUTO, &records, &err));
    struct jc_record record;
    size_t n = 0;
    for (bool more = true; more; n += more) {
        REQUIRE_OK(jc_records_next(records, &more, &record, &err));
        if (more && !CHECK(record.bad && record.line == n + 2))
            break;
    }
    CHECK_INT(n, 400000);
}

static void check_not_opened(const char *name, const char *text, size_t n, jc_code want, const char *part)
{
    struct jc_records *records = NULL;
    CHECK_FAILS(jc_records_open(write_file(name, text, n), JC_RECORDS_AUTO, &records, &err), want, part);
    CHECK(!records);
}

static void test_open_errors(void)
{
    struct jc_records *records = NULL;
    check_not_opened("a.txt", "a", 1, JC_E_INVALID, "a.txt: the name does not end in .csv, .tsv or .jsonl");
    check_not_opened(".gz", "a", 1, JC_E_INVALID, "does not end in");
    check_not_opened("a.csv", "", 0, JC_E_FORMAT, "a.csv: empty, without a header");
    check_not_opened("a.csv", "\r\n\n", 3, JC_E_FORMAT, "a.csv: empty");
    check_not_opened("a.csv", "\n\"a,b\n1,2\n", 10, JC_E_FORMAT, "a.csv:2: the header: a quote is opened");
    check_not_opened("a.tsv", "a\xff\n", 3, JC_E_FORMAT, "a.tsv:1: the header: row: invalid UTF-8 at byte 1");
    check_not_opened("a.tsv", "a\0b\n", 4, JC_E_FORMAT, "a.tsv:1: the header: a NUL at byte 1");
    check_not_opened("a.csv",
                     "\xff\xfe"
                     "a\0",
                     4, JC_E_FORMAT, "a.csv: the text is UTF-16");
    CHECK_FAILS(jc_records_open("/nonexistent.csv", JC_RECORDS_AUTO, &records, &err), JC_E_NOT_FOUND,
                "'/nonexistent.csv'");
    CHECK_FAILS(jc_records_open(folder, JC_RECORDS_CSV, &records, &err), JC_E_IO, "not a regular file");
    enum jc_records_format format;
    REQUIRE_OK(jc_records_format_parse("jsonl", &format, &err));
    CHECK_INT(format, JC_RECORDS_JSONL);
    CHECK_FAILS(jc_records_format_parse("xls", &format, &err), JC_E_INVALID, "'xls' is none of auto, csv");
}

static void test_gzip(void)
{
    static const char text[] = "a,b\n1,2\n3,4\n";
    JC_AUTO_BUF struct jc_buf gzip = {0};
    /* Members cut the text anywhere; the name does not matter; zero bytes may follow. */
    put_gzip(&gzip, text, 5, 9);
    put_gzip(&gzip, "", 0, 1);
    put_gzip(&gzip, text + 5, sizeof(text) - 6, 0);
    check_bytes("a.csv", gzip.data, gzip.n, "2:[1|2]\n3:[3|4]\n");
    check_bytes("a.csv.gz", gzip.data, gzip.n, "2:[1|2]\n3:[3|4]\n");
    check_text("plain.csv.gz", text, "2:[1|2]\n3:[3|4]\n");
    size_t n = gzip.n;
    for (int i = 0; i < 600; i++)
        jc_buf_putc(&gzip, '\0');
    check_bytes("a.csv", gzip.data, gzip.n, "2:[1|2]\n3:[3|4]\n");
    gzip.n = n;
    jc_buf_puts(&gzip, "junk");
    check_not_opened("a.csv", gzip.data, gzip.n, JC_E_FORMAT, "a.csv: damaged gzip near byte");
    for (size_t cut = 2; cut < n; cut++) {
        /* At the end of a member it is a whole file. */
        struct jc_records *records = NULL;
        jc_code code = jc_records_open(write_file("cut.csv", gzip.data, cut), JC_RECORDS_AUTO, &records, &err);
        if (code)
            CHECK_CONTAINS(err.text, "cut.csv: truncated gzip: it ends at byte ");
        jc_records_destroy(records);
    }
}

/* Rows before the damage are given, then the error, with the place. */
static void test_damaged_gzip(void)
{
    JC_AUTO_BUF struct jc_buf text = {0}, gzip = {0};
    jc_buf_puts(&text, "a\n");
    for (int i = 0; i < 100000; i++)
        jc_buf_printf(&text, "%d\n", i * 7919 % 100003);
    put_gzip(&gzip, text.data, text.n, 6);
    gzip.data[gzip.n - 6] ^= 1; /* the checksum */
    for (size_t n_less = 0; n_less <= 1000; n_less += 1000) {
        JC_AUTO(jc_records) struct jc_records *records = NULL;
        struct jc_record record;
        REQUIRE_OK(jc_records_open(write_file("d.csv", gzip.data, gzip.n - n_less), JC_RECORDS_AUTO, &records, &err));
        size_t n = 0;
        bool more = true;
        while (jc_records_next(records, &more, &record, &err) == JC_OK && more)
            n++;
        CHECK(n > 50000 && n < 100000 && more);
        CHECK_CONTAINS(err.text, n_less ? "d.csv: truncated gzip" : "d.csv: damaged gzip near byte ");
        CHECK_FAILS(jc_records_next(records, &more, &record, &err), JC_E_FORMAT, "d.csv: ");
    }
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_csv();
    test_bad_csv_rows();
    test_tsv();
    test_jsonl();
    test_bad_json();
    test_select();
    test_limits();
    test_quotes_without_end();
    test_open_errors();
    test_gzip();
    test_damaged_gzip();
    jc_records_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
