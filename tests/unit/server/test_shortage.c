/* Memory that runs out, at every allocation in turn: of a request from its text to its answer, of loading a model, of
 * making the server's parts. Each failure is an error that says so, or does not matter; nothing is lost or left behind
 * (the sanitizers' build sees leaks), and the next try is good. */
#include "alloc_fault.h"
#include "server/api/codec.h"
#include "server/queue/admission.h"
#include "server/wire/address_counts.h"
#include "two_models.h"

enum { BATCH = 64, N_SWEEP = 100000 };

static const char body[] =
    "{\"postings\":[{\"id\":\"a\\nlonger-identifier-than-a-small-buffer\",\"title\":\"w1 w2 w3\"},"
    "{\"id\":7,\"title\":\"w1 w2 w3\"},{\"title\":\"<p>w4 &amp; w5</p> w6 w7 w8 w9 w10 w11 w12\"},"
    "{\"title\":\"\",\"body\":\"w13 w14 w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 w26 w27\"},"
    "{\"title\":\"...\"}],\"top_n\":3}";

static struct jc_server_config config;
static const struct jc_admission_config admission_config = {.limits = {.queue_titles = 100,
                                                                       .queue_tokens = 10000,
                                                                       .batch_titles = BATCH,
                                                                       .batch_tokens = 10000,
                                                                       .n_workers = 1},
                                                            .cache_bytes = 1 << 20};

/* What a request makes, all of it zero at first. */
struct request {
    struct jc_codec_request parsed;
    struct jc_classify classify;
    struct jc_problem problem;
    struct jc_buf answer;
};

static void request_finish(struct request *request)
{
    jc_codec_request_finish(&request->parsed);
    jc_classify_finish(&request->classify);
    jc_buf_finish(&request->answer);
}

static void note_done(struct jc_ticket *ticket)
{
    (void)ticket;
}

static jc_code prepare(struct request *request, struct jc_model *model, struct jc_err *err)
{
    struct jc_classify *classify = &request->classify;
    const struct jc_codec_request *parsed = &request->parsed;
    const size_t n = parsed->n_postings;
    classify->ticket =
        (struct jc_ticket){.model = model, .generation = 1, .deadline_ns = UINT64_MAX, .fd = -1, .done = note_done};
    classify->postings = calloc(n, sizeof *classify->postings);
    classify->ticket.items = calloc(n, sizeof *classify->ticket.items);
    classify->hits = calloc(n * parsed->top_n, sizeof *classify->hits);
    if (!classify->postings || !classify->ticket.items || !classify->hits)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct jc_item *item = &classify->ticket.items[classify->ticket.n_items];
        jc_code code = jc_classifier_prepare(model->classifier, &parsed->postings[i].posting, &item->input, err);
        if (code)
            return code;
        classify->postings[classify->n_postings++].id = TAKE(parsed->postings[i].id);
        if (item->input.n_ids == 0)
            continue;
        item->ticket = &classify->ticket;
        item->input.top_n = parsed->top_n;
        item->input.hits = classify->hits + classify->ticket.n_items++ * parsed->top_n;
        classify->postings[i].item = item;
    }
    return JC_OK;
}

/* Through the queue, this thread being the worker. */
static jc_code compute(struct request *request, struct jc_admission *admission, struct jc_session *session,
                       struct jc_err *err)
{
    struct jc_ticket *ticket = &request->classify.ticket;
    bool waits;
    jc_code code = jc_admission_enter(admission, ticket, &waits, err);
    if (code || !waits)
        return code;
    jc_admission_submit(admission, ticket);
    struct jc_item *items[BATCH];
    struct jc_input *inputs[BATCH];
    struct jc_batch batch = {.items = items};
    while (atomic_load(&ticket->n_pending)) {
        struct jc_run_stats stats;
        REQUIRE(jc_admission_take(admission, &batch));
        for (size_t i = 0; i < batch.n_items; i++)
            inputs[i] = &items[i]->input;
        struct jc_err failure;
        code = jc_session_run(session, inputs, batch.n_items, &stats, &failure);
        jc_batcher_report(jc_admission_batcher(admission), &batch, 0);
        for (size_t i = 0; i < batch.n_items; i++)
            for (struct jc_item *item = items[i]; item;) /* who takes a failed one's place fails, too */
                item = jc_admission_settle(admission, item, code ? &failure : NULL);
    }
    if (atomic_load(&ticket->failure))
        *err = ticket->err;
    return atomic_load(&ticket->failure);
}

static jc_code serve(struct request *request, struct jc_admission *admission, struct jc_model *model,
                     struct jc_err *err)
{
    jc_code code = jc_codec_parse(body, strlen(body), &config, &request->parsed, &request->problem);
    if (code) {
        CHECK_INT(request->problem.kind, JC_PROBLEM_OUT_OF_MEMORY);
        return jc_fail(err, code, "%s", request->problem.detail);
    }
    code = prepare(request, model, err);
    if (!code)
        code = compute(request, admission, model->sessions[0], err);
    if (code)
        return code;
    jc_codec_put_answer(&request->classify, model->classifier, &request->answer);
    return jc_buf_check(&request->answer, err);
}

/* With the n-th allocation failing; afterwards, again, with none. Returns whether there was an n-th. */
static bool try_request(long n, bool stays, const char *expected)
{
    struct jc_err err;
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    JC_AUTO(jc_admission) struct jc_admission *admission = NULL;
    REQUIRE_OK(jc_metrics_create(1, &metrics, &err));
    REQUIRE_OK(jc_admission_create(&admission_config, metrics, &admission, &err));
    JC_AUTO(jc_model) struct jc_model *model = two_models_load(0, 1);
    model->generation = 1;

    JC_AUTO_FINISH(request) struct request first = {0}, second = {0};
    alloc_fault_arm(n, stays);
    jc_code code = serve(&first, admission, model, &err);
    bool hit = alloc_fault_disarm();
    if (code)
        CHECK_INT(code, JC_E_NOMEM);
    else
        CHECK_STR(first.answer.data, expected);
    CHECK(hit || !code);
    REQUIRE_OK(serve(&second, admission, model, &err));
    CHECK_STR(second.answer.data, expected);
    CHECK_INT(jc_batcher_load(jc_admission_batcher(admission)).n_titles, 0);
    return hit;
}

static void test_request(void)
{
    struct jc_err err;
    JC_AUTO_FINISH(request) struct request request = {0};
    JC_AUTO(jc_model) struct jc_model *model = two_models_load(0, 1);
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    JC_AUTO(jc_admission) struct jc_admission *admission = NULL;
    struct jc_admission_config without_cache = admission_config;
    without_cache.cache_bytes = 0;
    REQUIRE_OK(jc_metrics_create(1, &metrics, &err));
    REQUIRE_OK(jc_admission_create(&without_cache, metrics, &admission, &err));
    REQUIRE_OK(serve(&request, admission, model, &err));
    for (int stays = 0; stays < 2; stays++) {
        long n = 1;
        while (n < N_SWEEP && try_request(n, stays, request.answer.data))
            n++;
        CHECK(n > 20 && n < N_SWEEP);
    }
}

/* A long text by itself: the buffer of jansson's lexer grows, and what does not fit must not be lost. */
static void test_long_text(void)
{
    enum { LONG = 20000 };
    static char text[LONG + 100];
    int at = snprintf(text, sizeof text, "{\"title\":\"");
    memset(text + at, 'w', LONG);
    snprintf(text + at + LONG, sizeof text - (size_t)(at + LONG), "\"}");
    for (int stays = 0; stays < 2; stays++) {
        bool hit = true;
        for (long n = 1; hit; n++) {
            JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request parsed = {0};
            struct jc_problem problem = {0};
            alloc_fault_arm(n, stays);
            jc_code code = jc_codec_parse(text, strlen(text), &config, &parsed, &problem);
            hit = alloc_fault_disarm();
            if (code)
                CHECK_INT(problem.kind, JC_PROBLEM_OUT_OF_MEMORY);
            else
                CHECK_INT(parsed.postings[0].posting.n_title, LONG);
            CHECK(hit == (code != JC_OK));
            REQUIRE(n < N_SWEEP);
        }
    }
}

static jc_code load_model(struct jc_err *err)
{
    JC_AUTO(jc_model) struct jc_model *model = NULL;
    return jc_model_load(two_models_path(0), NULL, 2, &model, err);
}

static jc_code make_parts(struct jc_err *err)
{
    JC_AUTO(jc_metrics) struct jc_metrics *metrics = NULL;
    JC_AUTO(jc_admission) struct jc_admission *admission = NULL;
    JC_AUTO(jc_address_counts) struct jc_address_counts *counts = NULL;
    jc_code code = jc_metrics_create(3, &metrics, err);
    if (!code)
        code = jc_admission_create(&admission_config, metrics, &admission, err);
    return code ? code : jc_address_counts_create(10, &counts, err);
}

static void sweep(jc_code (*make)(struct jc_err *err), long least)
{
    for (int stays = 0; stays < 2; stays++) {
        bool hit = true;
        long n = 1;
        for (; hit && n < N_SWEEP; n++) {
            struct jc_err err = {.text = ""};
            alloc_fault_arm(n, stays);
            jc_code code = make(&err);
            hit = alloc_fault_disarm();
            if (code)
                check_report(code == JC_E_NOMEM, __FILE__, __LINE__, "allocation %ld: %s: %s", n, jc_code_name(code),
                             err.text);
            CHECK(hit || !code);
        }
        CHECK(n > least && n < N_SWEEP);
    }
}

int main(void)
{
    struct jc_err err;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    static const char *const sets[] = {"limits.title_chars=100000"};
    REQUIRE_OK(jc_server_config_load(NULL, sets, JC_COUNT(sets), &config, &conf, &err));
    two_models_write();
    test_request();
    test_long_text();
    sweep(load_model, 20);
    sweep(make_parts, 5);
    return check_finish();
}
