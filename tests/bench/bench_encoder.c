/*
 * The yardstick of the HTTP benchmark: what the encoder gives without a server.
 *     bench_encoder MODEL TITLES SECONDS f32|int8
 * Throughput: one thread a core, batches of 256 distinct titles, encode only. Idle: one title at a time on one thread,
 * encode only and from posting to ranked categories. Prints one JSON object.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/parse.h"
#include "model/classifier_impl.h"
#include "model/runtime.h"

enum { BATCH = 256, MAX_CORES = 256, MAX_TITLES_BYTES = 64 << 20, TOP_N = 5, IDLE_NS = 300000 };

/* The titles, and their tokens one after another. */
struct titles {
    char **texts;
    size_t n;
    int32_t *ids;
    uint32_t *n_tokens; /* [n] */
    size_t *starts;     /* [n + 1] */
};

static jc_code fail_nomem(struct jc_err *err)
{
    return jc_fail(err, JC_E_NOMEM, "out of memory");
}

static jc_code tokenise(const struct jc_classifier *classifier, struct titles *titles, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf ids = {0};
    for (size_t i = 0; i < titles->n; i++) {
        JC_AUTO_FINISH(jc_input) struct jc_input input = {0};
        struct jc_posting posting = {.title = titles->texts[i], .n_title = strlen(titles->texts[i])};
        jc_code code = jc_classifier_prepare(classifier, &posting, &input, err);
        if (!code && input.n_ids == 0)
            code = jc_fail(err, JC_E_INVALID, "no text in title '%s'", titles->texts[i]);
        if (code)
            return code;
        jc_buf_put(&ids, input.ids, input.n_ids * sizeof *input.ids);
        titles->n_tokens[i] = input.n_ids;
        titles->starts[i + 1] = titles->starts[i] + input.n_ids;
    }
    jc_code code = jc_buf_check(&ids, err);
    if (!code)
        titles->ids = (int32_t *)(void *)jc_buf_take(&ids);
    return code;
}

static jc_code load_titles(const struct jc_classifier *classifier, const char *path, struct titles *titles,
                           struct jc_buf *text, struct jc_err *err)
{
    jc_code code = jc_file_read(path, MAX_TITLES_BYTES, text, err);
    if (code)
        return code;
    titles->texts = calloc(text->n + 1, sizeof *titles->texts);
    if (!titles->texts)
        return fail_nomem(err);
    for (char *rest = text->data, *line; (line = strsep(&rest, "\n"));)
        if (*line)
            titles->texts[titles->n++] = line;
    if (titles->n < BATCH)
        return jc_fail(err, JC_E_INVALID, "%s has %zu titles; a batch needs %d", path, titles->n, BATCH);
    titles->n_tokens = calloc(titles->n, sizeof *titles->n_tokens);
    titles->starts = calloc(titles->n + 1, sizeof *titles->starts);
    return titles->n_tokens && titles->starts ? tokenise(classifier, titles, err) : fail_nomem(err);
}

struct runner {
    pthread_t thread;
    const struct jc_encoder *encoder;
    const struct titles *titles;
    size_t first_batch;
    uint64_t start_ns, end_ns; /* batches begin before end_ns */
    size_t n_done;             /* titles */
    uint64_t finished_ns;
    jc_code code;
    struct jc_err err;
};

static void *run_batches(void *argument)
{
    struct runner *runner = argument;
    const struct titles *titles = runner->titles;
    size_t n_batches = titles->n / BATCH, dim = jc_encoder_info(runner->encoder)->dim;
    JC_AUTO_FREE float *vectors = calloc(BATCH * dim, sizeof *vectors);
    runner->code = vectors ? JC_OK : fail_nomem(&runner->err);
    for (size_t b = runner->first_batch; !runner->code && jc_clock_ns() < runner->end_ns; b++) {
        size_t first = b % n_batches * BATCH;
        runner->code = jc_encoder_encode(runner->encoder, titles->ids + titles->starts[first], titles->n_tokens + first,
                                         BATCH, vectors, &runner->err);
        runner->n_done += BATCH;
    }
    runner->finished_ns = jc_clock_ns();
    return NULL;
}

/* Titles a second of all cores: each thread's own rate up to its last whole batch, summed. */
static jc_code measure_throughput(const struct jc_encoder *encoder, const struct titles *titles, size_t n_threads,
                                  uint64_t duration_ns, double *ret_rate, struct jc_err *err)
{
    struct runner runners[MAX_CORES];
    uint64_t now = jc_clock_ns();
    for (size_t i = 0; i < n_threads; i++) {
        runners[i] = (struct runner){.encoder = encoder,
                                     .titles = titles,
                                     .first_batch = i * (titles->n / BATCH) / n_threads,
                                     .start_ns = now,
                                     .end_ns = now + duration_ns};
        if (pthread_create(&runners[i].thread, NULL, run_batches, &runners[i]) != 0)
            return jc_fail(err, JC_E_IO, "start a thread");
    }
    *ret_rate = 0;
    jc_code code = JC_OK;
    for (size_t i = 0; i < n_threads; i++) {
        pthread_join(runners[i].thread, NULL);
        if (runners[i].code) {
            code = runners[i].code;
            *err = runners[i].err;
        }
        *ret_rate +=
            (double)runners[i].n_done * (double)JC_NS_PER_S / (double)(runners[i].finished_ns - runners[i].start_ns);
    }
    return code;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double quantile_ms(const uint64_t *sorted, size_t n, double q)
{
    return (double)sorted[(size_t)(q * (double)(n - 1))] / (double)JC_NS_PER_MS;
}

/* One title through the whole classifier. */
static jc_code classify(const struct jc_classifier *classifier, struct jc_session *session, const char *title,
                        struct jc_err *err)
{
    struct jc_hit hits[TOP_N];
    struct jc_run_stats stats;
    JC_AUTO_FINISH(jc_input) struct jc_input input = {.top_n = TOP_N, .hits = hits};
    struct jc_input *inputs[] = {&input};
    struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    jc_code code = jc_classifier_prepare(classifier, &posting, &input, err);
    return code ? code : jc_session_run(session, inputs, 1, &stats, err);
}

/* An idle machine's title finds its core asleep, as a server's worker does. */
static void pause_idle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = IDLE_NS}, NULL);
}

/* Alternates the two, title by title, so that both see the same machine. */
static jc_code measure_idle(const struct jc_classifier *classifier, const struct titles *titles, uint64_t duration_ns,
                            struct jc_err *err)
{
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    JC_AUTO_FREE uint64_t *encode_ns = calloc(titles->n, sizeof *encode_ns);
    JC_AUTO_FREE uint64_t *classify_ns = calloc(titles->n, sizeof *classify_ns);
    JC_AUTO_FREE float *vector = calloc(jc_encoder_info(classifier->encoder)->dim, sizeof *vector);
    if (!encode_ns || !classify_ns || !vector)
        return fail_nomem(err);
    jc_code code = jc_session_create(classifier, &session, err);
    size_t n = 0;
    for (uint64_t end_ns = jc_clock_ns() + duration_ns; !code && n < titles->n && jc_clock_ns() < end_ns; n++) {
        pause_idle();
        uint64_t start_ns = jc_clock_ns();
        code = jc_encoder_encode(classifier->encoder, titles->ids + titles->starts[n], &titles->n_tokens[n], 1, vector,
                                 err);
        encode_ns[n] = jc_clock_ns() - start_ns;
        pause_idle();
        start_ns = jc_clock_ns();
        if (!code)
            code = classify(classifier, session, titles->texts[n], err);
        classify_ns[n] = jc_clock_ns() - start_ns;
    }
    if (code)
        return code;
    qsort(encode_ns, n, sizeof *encode_ns, compare);
    qsort(classify_ns, n, sizeof *classify_ns, compare);
    printf("\"encode_p50_ms\":%.3f,\"encode_p99_ms\":%.3f,\"classify_p50_ms\":%.3f,\"classify_p99_ms\":%.3f",
           quantile_ms(encode_ns, n, .5), quantile_ms(encode_ns, n, .99), quantile_ms(classify_ns, n, .5),
           quantile_ms(classify_ns, n, .99));
    return JC_OK;
}

static jc_code run(char **argv, struct jc_err *err)
{
    const struct jc_encoder_options options = {
        .backend = JC_BACKEND_ONEDNN, .precision = strcmp(argv[4], "int8") == 0 ? JC_PRECISION_INT8 : JC_PRECISION_F32};
    uint64_t seconds;
    struct titles titles = {0};
    JC_AUTO_BUF struct jc_buf text = {0};
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    size_t n_threads = jc_cpu_count() < MAX_CORES ? jc_cpu_count() : MAX_CORES;
    double rate = 0;

    jc_code code = jc_parse_u64(argv[3], &seconds, err);
    if (!code)
        code = jc_classifier_load(argv[1], &options, &classifier, err);
    if (!code)
        code = load_titles(classifier, argv[2], &titles, &text, err);
    if (!code) /* warm-up: memory pools, clock frequency */
        code = measure_throughput(classifier->encoder, &titles, n_threads, JC_NS_PER_S, &rate, err);
    if (!code)
        code = measure_throughput(classifier->encoder, &titles, n_threads, seconds * JC_NS_PER_S, &rate, err);
    if (!code) {
        printf("{\"titles\":%zu,\"tokens_mean\":%.2f,\"threads\":%zu,\"titles_per_s\":%.1f,", titles.n,
               (double)titles.starts[titles.n] / (double)titles.n, n_threads, rate);
        code = measure_idle(classifier, &titles, seconds * JC_NS_PER_S, err);
        puts("}");
    }
    free(titles.texts);
    free(titles.ids);
    free(titles.n_tokens);
    free(titles.starts);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: bench_encoder MODEL TITLES SECONDS f32|int8\n", stderr);
        return 2;
    }
    jc_runtime_init();
    struct jc_err err;
    if (run(argv, &err) != JC_OK) {
        fprintf(stderr, "bench_encoder: %s\n", err.text);
        return 1;
    }
    return 0;
}
