/* The traceparent header, by the W3C Recommendation's section 3.2. */
#include "server/policy/trace_context.h"

#include "base/own.h"
#include "check.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define GOOD "00-" TRACE "-" PARENT "-01"

static void test_valid(void)
{
    static const char *const rows[] = {
        GOOD,
        "00-" TRACE "-" PARENT "-00",
        "00-" TRACE "-" PARENT "-ff",
        /* Versions to come: what 00 has is read, and what follows a dash is not. */
        "01-" TRACE "-" PARENT "-01",
        "fe-" TRACE "-" PARENT "-00-what-the-future-will-be",
        "cc-" TRACE "-" PARENT "-01-",
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_trace_context context = {0};
        if (!check_report(jc_trace_context_parse(rows[i], &context), __FILE__, __LINE__, "refused: %s", rows[i]))
            continue;
        CHECK_STR(context.trace_id, TRACE);
        CHECK_STR(context.parent_id, PARENT);
        CHECK_INT(strspn(context.span_id, "0123456789abcdef"), 16);
        CHECK_INT(strlen(context.span_id), 16);
        CHECK(strcmp(context.span_id, PARENT) != 0);
    }
}

static void test_invalid(void)
{
    static const char *const rows[] = {
        "",
        "-",
        "00",
        "00-",
        "ff-" TRACE "-" PARENT "-01",
        "0-" TRACE "-" PARENT "-01",
        "000-" TRACE "-" PARENT "-01",
        ".0-" TRACE "-" PARENT "-01",
        "0A-" TRACE "-" PARENT "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-" PARENT "-0A",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "0-" PARENT "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-01",
        "00-" TRACE "-00f067aa0ba902b-01",
        "00-" TRACE "-00f067aa0ba902b70-01",
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-001",
        "00-" TRACE "-" PARENT "-",
        "00-" TRACE "-" PARENT,
        "00_" TRACE "_" PARENT "_01",
        GOOD "-",
        GOOD "-00",
        GOOD ".",
        " " GOOD,
        GOOD " ",
        "01-" TRACE "-" PARENT "-01.future",
        "01-" TRACE "-" PARENT "-0x",
        GOOD "," GOOD,
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_trace_context context = {.trace_id = "kept"};
        check_report(!jc_trace_context_parse(rows[i], &context), __FILE__, __LINE__, "taken: %s", rows[i]);
        CHECK_STR(context.trace_id, "kept");
    }
}

/* Every prefix in a block of exactly its size, and every byte replaced: sanitizers see a read behind the end. */
static void test_cut(void)
{
    struct jc_trace_context context;
    for (size_t n = 0; n < strlen(GOOD); n++) {
        JC_AUTO_FREE char *cut = strndup(GOOD, n);
        JC_AUTO_FREE char *changed = strdup(GOOD);
        REQUIRE(cut && changed);
        CHECK(!jc_trace_context_parse(cut, &context));
        changed[n] = 'G';
        CHECK(!jc_trace_context_parse(changed, &context));
    }
}

int main(void)
{
    test_valid();
    test_invalid();
    test_cut();
    return check_finish();
}
