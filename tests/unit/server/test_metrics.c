/* The Prometheus page: its format line by line, cumulative buckets, sums and counts against what was observed. */
#include "server/observe/metrics.h"

#include <ctype.h>
#include <pthread.h>

#include "check.h"

enum { N_ROUTES = 2, N_THREADS = 4, N_ADDS = 20000 };

static void name_route(size_t route, char ret_name[64])
{
    static const char *const names[] = {"GET /a", "POST /b", "none"};
    snprintf(ret_name, 64, "%s", names[route]);
}

static char *render(const struct jc_metrics *metrics)
{
    struct jc_buf out = {0};
    jc_metrics_put(metrics, name_route, &out);
    char *page = jc_buf_take(&out);
    REQUIRE(page);
    return page;
}

/* The value of the line that begins with `series` and a blank; NAN where there is none. */
static double find(const char *page, const char *series)
{
    size_t n = strlen(series);
    for (const char *line = page; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, series, n) == 0 && line[n] == ' ')
            return strtod(line + n + 1, NULL);
    return NAN;
}

static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == ':')
        n++;
    return n;
}

/* name{label="value",...} number: the labels here hold no escapes. */
static bool is_sample(const char *line)
{
    size_t n = name_length(line);
    if (!n || isdigit((unsigned char)line[0]))
        return false;
    line += n;
    if (*line == '{') {
        do {
            n = name_length(++line);
            if (!n || strncmp(line + n, "=\"", 2) != 0)
                return false;
            line = strchr(line + n + 2, '"');
            if (!line)
                return false;
        } while (*++line == ',');
        if (*line++ != '}')
            return false;
    }
    char *end;
    if (*line != ' ' || isspace((unsigned char)line[1]))
        return false;
    strtod(line + 1, &end);
    return end != line + 1 && *end == '\n';
}

/* Each family: HELP, TYPE, then its samples; no family twice. */
static void check_format(const char *page)
{
    char family[128] = "", seen[8192] = " ";
    const char *line = page;
    while (*line) {
        const char *end = strchr(line, '\n');
        REQUIRE(end);
        char name[128], type[16], entry[132];
        if (sscanf(line, "# HELP %127s", name) == 1) {
            snprintf(entry, sizeof entry, " %s ", name);
            check_report(!strstr(seen, entry), __FILE__, __LINE__, "%s comes twice", name);
            REQUIRE(strlen(seen) + strlen(entry) < sizeof seen);
            strcat(seen, entry);
            snprintf(family, sizeof family, "%s", name);
            CHECK(sscanf(end + 1, "# TYPE %127s %15s", name, type) == 2);
            CHECK_STR(name, family);
            CHECK(strcmp(type, "counter") == 0 || strcmp(type, "histogram") == 0 || strcmp(type, "gauge") == 0);
            end = strchr(end + 1, '\n');
            REQUIRE(end);
        } else {
            check_report(is_sample(line), __FILE__, __LINE__, "no sample: %.*s", (int)(end - line), line);
            check_report(family[0] && strncmp(line, family, strlen(family)) == 0, __FILE__, __LINE__, "not of %s: %.*s",
                         family, (int)(end - line), line);
        }
        line = end + 1;
    }
}

static void test_histogram(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    static const uint64_t titles[] = {1, 1, 2, 3, 4, 5, 256, 257, 512, 513, 100000};
    uint64_t sum = 0;
    for (size_t i = 0; i < JC_COUNT(titles); i++) {
        jc_metrics_observe(metrics, JC_HISTOGRAM_BATCH_TITLES, titles[i]);
        sum += titles[i];
    }
    JC_AUTO_FREE char *page = render(metrics);
    check_format(page);
    static const double bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
    for (size_t b = 0; b < JC_COUNT(bounds); b++) {
        size_t want = 0;
        for (size_t i = 0; i < JC_COUNT(titles); i++)
            want += (double)titles[i] <= bounds[b];
        char series[80];
        snprintf(series, sizeof series, "jobcode_batch_titles_bucket{le=\"%g\"}", bounds[b]);
        CHECK_NEAR(find(page, series), (double)want, 0);
    }
    CHECK_NEAR(find(page, "jobcode_batch_titles_bucket{le=\"+Inf\"}"), (double)JC_COUNT(titles), 0);
    CHECK_NEAR(find(page, "jobcode_batch_titles_count"), (double)JC_COUNT(titles), 0);
    CHECK_NEAR(find(page, "jobcode_batch_titles_sum"), (double)sum, 0);
}

static void test_seconds(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    jc_metrics_observe(metrics, JC_HISTOGRAM_ENCODE_SECONDS, 3000000);     /* 3 ms */
    jc_metrics_observe(metrics, JC_HISTOGRAM_ENCODE_SECONDS, 40000000000); /* over the last bound */
    jc_metrics_observe(metrics, JC_HISTOGRAM_SCORE_SECONDS, 500000000);
    JC_AUTO_FREE char *page = render(metrics);
    CHECK_NEAR(find(page, "jobcode_encode_seconds_bucket{le=\"0.0025\"}"), 0, 0);
    CHECK_NEAR(find(page, "jobcode_encode_seconds_bucket{le=\"0.005\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_encode_seconds_bucket{le=\"30\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_encode_seconds_bucket{le=\"+Inf\"}"), 2, 0);
    CHECK_NEAR(find(page, "jobcode_encode_seconds_sum"), 40.003, 1e-9);
}

static void test_closed(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    for (size_t why = 0; why < JC_N_CLOSED; why++)
        for (size_t i = 0; i <= why; i++)
            jc_metrics_closed(metrics, (enum jc_closed)why);
    JC_AUTO_FREE char *page = render(metrics);
    check_format(page);
    CHECK_NEAR(find(page, "jobcode_http_connections_closed_total{reason=\"normal\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_connections_closed_total{reason=\"drain\"}"), JC_N_CLOSED, 0);
}

static void test_refused(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    for (int why = JC_PROBLEM_NONE + 1; why < JC_N_PROBLEMS; why++)
        for (int i = 1; i < why; i++)
            jc_metrics_refused(metrics, (enum jc_problem_kind)why);
    JC_AUTO_FREE char *page = render(metrics);
    check_format(page);
    for (int why = JC_PROBLEM_NONE + 1; why < JC_N_PROBLEMS; why++) {
        char series[96];
        snprintf(series, sizeof series, "jobcode_requests_refused_total{reason=\"%s\"}",
                 jc_problem_code((enum jc_problem_kind)why));
        CHECK_NEAR(find(page, series), why - 1, 0);
    }
}

static void test_requests(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    jc_metrics_request(metrics, 0, 200, 1000);
    jc_metrics_request(metrics, 0, 200, 2000000);
    jc_metrics_request(metrics, 1, 503, 1000);
    jc_metrics_request(metrics, N_ROUTES, 404, 1000);
    jc_metrics_request(metrics, N_ROUTES, 418, 1000); /* a status the table does not have */
    jc_metrics_request_unread(metrics, 414);
    JC_AUTO_FREE char *page = render(metrics);
    check_format(page);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"GET /a\",code=\"200\"}"), 2, 0);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"POST /b\",code=\"503\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"none\",code=\"404\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"none\",code=\"0\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"none\",code=\"414\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_request_duration_seconds_count{route=\"none\"}"), 2, 0);
    CHECK(isnan(find(page, "jobcode_http_requests_total{route=\"POST /b\",code=\"200\"}")));
    CHECK_NEAR(find(page, "jobcode_http_request_duration_seconds_count{route=\"GET /a\"}"), 2, 0);
    CHECK_NEAR(find(page, "jobcode_http_request_duration_seconds_sum{route=\"GET /a\"}"), .002001, 1e-9);
    CHECK_NEAR(find(page, "jobcode_http_request_duration_seconds_bucket{route=\"GET /a\",le=\"0.0001\"}"), 1, 0);
    CHECK_NEAR(find(page, "jobcode_http_request_duration_seconds_bucket{route=\"GET /a\",le=\"+Inf\"}"), 2, 0);
}

static void *add_much(void *context)
{
    struct jc_metrics *metrics = context;
    for (int i = 0; i < N_ADDS; i++) {
        jc_metrics_add(metrics, JC_COUNTER_TITLES, 3);
        jc_metrics_observe(metrics, JC_HISTOGRAM_BATCH_TITLES, 2);
        jc_metrics_in_flight(metrics, 1);
        jc_metrics_request(metrics, 1, 200, 10);
        jc_metrics_in_flight(metrics, -1);
    }
    return NULL;
}

static void test_threads(void)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    REQUIRE_OK(jc_metrics_create(N_ROUTES, &metrics, &err));
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, add_much, metrics) == 0);
    JC_AUTO_FREE char *meanwhile = render(metrics);
    check_format(meanwhile);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(jc_metrics_counter(metrics, JC_COUNTER_TITLES), 3 * N_THREADS * N_ADDS);
    CHECK_INT(jc_metrics_in_flight_now(metrics), 0);
    JC_AUTO_FREE char *page = render(metrics);
    CHECK_NEAR(find(page, "jobcode_batch_titles_sum"), 2.0 * N_THREADS * N_ADDS, 0);
    CHECK_NEAR(find(page, "jobcode_http_requests_total{route=\"POST /b\",code=\"200\"}"), N_THREADS * N_ADDS, 0);
}

static void test_gauge(void)
{
    JC_AUTO_BUF struct jc_buf out = {0};
    jc_metrics_put_gauge(&out, "x", "Help.", "{a=\"b\"}", 12);
    CHECK_STR(out.data, "# HELP x Help.\n# TYPE x gauge\nx{a=\"b\"} 12\n");
    check_format(out.data);
}

int main(void)
{
    test_histogram();
    test_seconds();
    test_closed();
    test_refused();
    test_requests();
    test_threads();
    test_gauge();
    return check_finish();
}
