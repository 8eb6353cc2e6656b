/* The log: one valid JSON line an event, levels, hostile values. */
#include "base/log.h"

#include <fcntl.h>

#include "base/file.h"
#include "check.h"

int main(void)
{
    struct jc_err err;
    char path[] = "/tmp/jc-log-XXXXXX";
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    REQUIRE(fd >= 0 && saved >= 0);
    dup2(fd, STDERR_FILENO);
    jc_log(JC_LOG_DEBUG, "hidden", NULL);
    jc_log(JC_LOG_INFO, "shown", "key", "a\"b\nc", "none", NULL, NULL);
    const struct jc_log_field fields[] = {{"a", "\"1\""}, {"left_out", NULL}, {"empty", ""}};
    jc_log_fields(JC_LOG_WARN, "listed", fields, JC_COUNT(fields));
    jc_log_fields(JC_LOG_DEBUG, "hidden", fields, JC_COUNT(fields));
    jc_fail(&err, JC_E_FORMAT, "bad %s", "thing");
    jc_wrap(&err, "file '%s'", "x");
    jc_log_err("load_failed", &err);
    dup2(saved, STDERR_FILENO);

    JC_AUTO_BUF struct jc_buf text = {0};
    REQUIRE_OK(jc_file_read(path, 4096, &text, &err));
    CHECK(!strstr(text.data, "hidden"));
    CHECK_CONTAINS(text.data, "\"level\":\"info\",\"event\":\"shown\",\"key\":\"a\\\"b\\nc\"");
    CHECK_CONTAINS(text.data, "\"level\":\"warn\",\"event\":\"listed\",\"a\":\"\\\"1\\\"\",\"empty\":\"\"}\n");
    CHECK_CONTAINS(text.data, "\"level\":\"error\",\"event\":\"load_failed\",\"code\":\"format\","
                              "\"detail\":\"file 'x': bad thing\",\"at\":\"test_log.c:");
    CHECK(text.data[0] == '{' && text.data[text.n - 2] == '}' && text.data[text.n - 1] == '\n');

    enum jc_log_level level = JC_LOG_INFO;
    REQUIRE_OK(jc_log_level_parse("warn", &level, &err));
    CHECK_INT(level, JC_LOG_WARN);
    CHECK_FAILS(jc_log_level_parse("loud", &level, &err), JC_E_INVALID, "'loud'");
    unlink(path);
    close(fd);
    close(saved);
    return check_finish();
}
