/* The process's metrics: /proc's line with hostile program names, and that this process has every one. */
#include "server/observe/process_metrics.h"

#include "check.h"

static void check_parsed(const char *name)
{
    char text[256];
    snprintf(text, sizeof text,
             "42 (%s) S 1 42 42 0 -1 4194304 100 0 1 0 700 55 0 0 20 0 9 0 123456 1048576 256 18446744073709551615 1",
             name);
    struct jc_err err;
    struct jc_process_stat stat;
    REQUIRE_OK(jc_process_stat_parse(text, &stat, &err));
    CHECK_INT(stat.cpu_ticks, 755);
    CHECK_INT(stat.n_threads, 9);
    CHECK_INT(stat.start_ticks, 123456);
    CHECK_INT(stat.virtual_bytes, 1048576);
    CHECK_INT(stat.resident_pages, 256);
}

static double value_of(const char *page, const char *name)
{
    char line[80];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(page, line);
    return at ? strtod(at + strlen(line), NULL) : NAN;
}

static void test_page(void)
{
    static const char *const names[] = {
        "process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
        "process_threads",           "process_start_time_seconds",    "process_open_fds",
        "process_max_fds",           "jobcode_memory_limit_bytes"};
    struct jc_buf out = {0};
    jc_process_put_metrics(&out);
    JC_AUTO_FREE char *page = jc_buf_take(&out);
    REQUIRE(page);
    for (size_t i = 0; i < JC_COUNT(names); i++)
        check_report(value_of(page, names[i]) >= 0, __FILE__, __LINE__, "%s is missing", names[i]);
    CHECK_NEAR(value_of(page, "process_threads"), 1, 0);
    CHECK(value_of(page, "process_virtual_memory_bytes") >= value_of(page, "process_resident_memory_bytes"));
    CHECK(value_of(page, "jobcode_memory_limit_bytes") >= value_of(page, "process_resident_memory_bytes"));
    CHECK(value_of(page, "process_start_time_seconds") > 1.5e9);
    double open_before = value_of(page, "process_open_fds");
    JC_AUTO_FILE FILE *more = fopen("/dev/null", "r");
    REQUIRE(more);
    jc_process_put_metrics(&out);
    JC_AUTO_FREE char *after = jc_buf_take(&out);
    REQUIRE(after);
    CHECK_NEAR(value_of(after, "process_open_fds"), open_before + 1, 0);
}

int main(void)
{
    struct jc_err err;
    struct jc_process_stat stat;
    check_parsed("server");
    check_parsed("a b");
    check_parsed(") S 1 2 (");
    CHECK_FAILS(jc_process_stat_parse("", &stat, &err), JC_E_FORMAT, "/proc");
    CHECK_FAILS(jc_process_stat_parse("42 (x) S 1 42 42 0 -1", &stat, &err), JC_E_FORMAT, "/proc");
    test_page();
    return check_finish();
}
