/* Rejected rows: the file as a CSV reader gives it back, that it appears whole or not at all, and the limit. */
#include "data/rejects.h"

#include <dirent.h>
#include <sys/stat.h>

#include "data/records.h"
#include "data_files.h"

static const struct jc_reject_limit any_number = {.n_rows = UINT64_MAX};

static void add(struct jc_rejects *rejects, size_t line, const char *reason, const char *row, size_t n)
{
    REQUIRE_OK(jc_rejects_add(rejects, "dir/a,b.csv", line, reason, row, n, &err));
}

static size_t count_files(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    REQUIRE(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void check_record(struct jc_records *records, const char *line, const char *reason, const char *row)
{
    struct jc_record record;
    bool more;
    REQUIRE_OK(jc_records_next(records, &more, &record, &err));
    REQUIRE(more && !record.bad && record.n_fields == 4);
    CHECK_STR(record.fields[0].text, "dir/a,b.csv");
    CHECK_STR(record.fields[1].text, line);
    CHECK_STR(record.fields[2].text, reason);
    CHECK_STR(record.fields[3].text, row);
}

static void test_file(void)
{
    const char *path = path_of("rejects.csv");
    JC_AUTO(jc_rejects) struct jc_rejects *rejects = NULL;
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    REQUIRE_OK(jc_rejects_create(path, any_number, &rejects, &err));
    add(rejects, 3, "say \"why\"", "1,\"two\nlines\"", 13);
    add(rejects, SIZE_MAX, "r\xc3", "caf\xe9,\0\xf0\x9f\x98\x80\xf0\x9f", 12);
    add(rejects, 0, "", "", 0);
    CHECK(!jc_file_exists(path));
    CHECK_INT(count_files(), 1);
    REQUIRE_OK(jc_rejects_publish(rejects, &err));
    CHECK_INT(count_files(), 1);
    CHECK_INT(jc_rejects_count(rejects), 3);

    REQUIRE_OK(jc_records_open(path, JC_RECORDS_AUTO, &records, &err));
    static const char *const names[] = {"file", "line", "reason", "row"};
    for (size_t i = 0; i < JC_COUNT(names); i++)
        CHECK_INT(jc_records_find(records, names[i]), i);
    check_record(records, "3", "say \"why\"", "1,\"two\nlines\"");
    check_record(records, "18446744073709551615", "r\\xc3", "caf\\xe9,\\x00\xf0\x9f\x98\x80\\xf0\\x9f");
    check_record(records, "0", "", "");
}

static void test_long_row(void)
{
    JC_AUTO(jc_rejects) struct jc_rejects *rejects = NULL;
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    const size_t n = (size_t)3 << 20;
    JC_AUTO_FREE char *row = malloc(n);
    REQUIRE(row);
    memset(row, 'x', n);
    REQUIRE_OK(jc_rejects_create(path_of("rejects.csv"), any_number, &rejects, &err));
    add(rejects, 1, "long", row, n);
    REQUIRE_OK(jc_rejects_publish(rejects, &err));
    REQUIRE_OK(jc_records_open(path_of("rejects.csv"), JC_RECORDS_AUTO, &records, &err));
    struct jc_record record;
    bool more;
    REQUIRE_OK(jc_records_next(records, &more, &record, &err));
    REQUIRE(more && !record.bad);
    CHECK_INT(record.fields[3].n, n / 3);
}

/* What was published before stays until the new file is whole. */
static void test_unpublished(void)
{
    const char *path = write_text("rejects.csv", "old");
    struct jc_rejects *rejects = NULL;
    REQUIRE_OK(jc_rejects_create(path, any_number, &rejects, &err));
    add(rejects, 1, "x", "y", 1);
    CHECK_INT(count_files(), 2);
    jc_rejects_destroy(rejects);
    CHECK_INT(count_files(), 1);
    JC_AUTO_BUF struct jc_buf text = {0};
    REQUIRE_OK(jc_file_read(path, 100, &text, &err));
    CHECK_STR(text.data, "old");
}

static void test_errors(void)
{
    struct jc_rejects *rejects = NULL;
    CHECK_FAILS(jc_rejects_create("/nonexistent/rejects.csv", any_number, &rejects, &err), JC_E_IO,
                "'/nonexistent/rejects.csv.tmp-");
    CHECK(!rejects);
    /* A folder in the way. */
    const char *path = path_of("taken");
    REQUIRE(mkdir(path, 0755) == 0);
    REQUIRE_OK(jc_rejects_create(path, any_number, &rejects, &err));
    CHECK_FAILS(jc_rejects_publish(rejects, &err), JC_E_IO, "rename");
    jc_rejects_destroy(rejects);
    REQUIRE(rmdir(path) == 0);
}

static struct jc_rejects *make_counter(const char *limit, int n)
{
    struct jc_rejects *rejects = NULL;
    struct jc_reject_limit parsed;
    REQUIRE_OK(jc_reject_limit_parse(limit, &parsed, &err));
    REQUIRE_OK(jc_rejects_create(NULL, parsed, &rejects, &err));
    for (int i = 0; i < n; i++)
        add(rejects, (size_t)i + 7, "because", "row", 3);
    REQUIRE_OK(jc_rejects_publish(rejects, &err));
    return rejects;
}

static void check_limit(const char *limit, int n, uint64_t n_rows, bool at_end, const char *refusal)
{
    JC_AUTO(jc_rejects) struct jc_rejects *rejects = make_counter(limit, n);
    CHECK_INT(jc_rejects_count(rejects), n);
    if (refusal)
        CHECK_FAILS(jc_rejects_check(rejects, n_rows, at_end, &err), JC_E_FORMAT, refusal);
    else
        REQUIRE_OK(jc_rejects_check(rejects, n_rows, at_end, &err));
}

static void test_limit(void)
{
    check_limit("0", 0, 0, true, NULL);
    check_limit("0", 1, 1, false, "1 of 1 rows are bad, and 0 may be; the first: dir/a,b.csv:7: because");
    check_limit("3", 3, 3, true, NULL);
    check_limit("3", 4, 1000, false, "4 of 1000 rows are bad, and 3 may be");
    check_limit("10%", 10, 100, true, NULL);
    check_limit("10%", 11, 100, false, NULL);
    check_limit("10%", 11, 100, true, "11 of 100 rows are bad, and 10% of them may be; the first: dir/a,b.csv:7");
    check_limit("2.5%", 26, 1000, true, "2.5% of them");
    check_limit("0%", 0, 0, true, NULL);
    check_limit("100%", 5, 5, true, NULL);

    struct jc_reject_limit limit;
    static const char *const wrong[] = {"",    "%",    "-1",   "1.5", "101%",
                                        "-1%", "nan%", "5 %%", "ten", "99999999999999999999"};
    for (size_t i = 0; i < JC_COUNT(wrong); i++)
        CHECK_FAILS(jc_reject_limit_parse(wrong[i], &limit, &err), JC_E_INVALID, wrong[i]);
    CHECK_FAILS(jc_reject_limit_parse("1000000000000000000000000000000000000000", &limit, &err), JC_E_INVALID,
                "no number of rows");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_file();
    test_long_row();
    test_unpublished();
    test_errors();
    test_limit();
    jc_rejects_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
