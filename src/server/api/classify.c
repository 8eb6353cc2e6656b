/* POST and GET /v1/classify: postings in, ranked categories out. */
#include "server/api/classify.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/api/codec.h"
#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/observe/request_log.h"
#include "server/policy/policy.h"
#include "server/queue/deadline.h"
#include "server/server.h"

void jc_classify_finish(struct jc_classify *classify)
{
    for (size_t i = 0; i < classify->n_postings; i++)
        free(classify->postings[i].id);
    for (size_t i = 0; i < classify->ticket.n_items; i++)
        jc_input_finish(&classify->ticket.items[i].input);
    free(classify->postings);
    free(classify->ticket.items);
    free(classify->hits);
    free(classify->evidence);
    *classify = (struct jc_classify){0};
}

/* The problem of a ticket that was refused, or failed. */
static jc_code fail_ticket(struct jc_request *request, const struct jc_err *err)
{
    struct jc_server *server = request->server;
    jc_problem_from_err(&request->problem, err);
    if (err->code == JC_E_OVERLOADED || err->code == JC_E_DEADLINE || err->code == JC_E_CANCELLED ||
        err->code == JC_E_DEVICE)
        request->problem.retry_after_s = jc_batcher_retry_after(jc_admission_batcher(server->admission));
    if (request->problem.kind == JC_PROBLEM_INTERNAL || request->problem.kind == JC_PROBLEM_OUT_OF_MEMORY)
        jc_log_err("request_failed", err);
    return err->code;
}

/* Cleans and tokenises each posting; those with text become items of the ticket. */
static jc_code prepare(struct jc_request *request, struct jc_codec_request *parsed)
{
    struct jc_classify *classify = &request->classify;
    struct jc_ticket *ticket = &classify->ticket;
    for (size_t i = 0; i < parsed->n_postings; i++) {
        struct jc_err err;
        struct jc_item *item = &ticket->items[ticket->n_items];
        jc_code code =
            jc_classifier_prepare(request->model->classifier, &parsed->postings[i].posting, &item->input, &err);
        if (code) {
            jc_problem_from_err(&request->problem, &err);
            return code;
        }
        jc_request_log_title(request, &parsed->postings[i].posting);
        classify->postings[i].id = TAKE(parsed->postings[i].id);
        classify->n_postings++;
        if (item->input.n_ids == 0)
            continue;
        item->ticket = ticket;
        item->input.top_n = parsed->top_n;
        item->input.level = parsed->level;
        item->input.hits = classify->hits + ticket->n_items * parsed->top_n;
        if (classify->evidence)
            item->input.evidence = classify->evidence + ticket->n_items * parsed->top_n;
        classify->postings[i].item = item;
        ticket->n_items++;
    }
    return JC_OK;
}

static void note_stage(struct jc_request *request, enum jc_stage stage, enum jc_histogram histogram, uint64_t start_ns)
{
    request->timing.ns[stage] = jc_clock_ns() - start_ns;
    jc_metrics_observe(request->server->metrics, histogram, request->timing.ns[stage]);
}

static size_t count_bytes(const struct jc_codec_request *parsed)
{
    size_t n = 0;
    for (size_t i = 0; i < parsed->n_postings; i++)
        n += parsed->postings[i].posting.n_title + parsed->postings[i].posting.n_body;
    return n;
}

/* What can be refused before a text is looked at. */
static jc_code check_admission(struct jc_request *request, const struct jc_codec_request *parsed)
{
    struct jc_ticket *ticket = &request->classify.ticket;
    struct jc_err err;
    jc_code code = jc_deadline_read(request, &ticket->deadline_ns);
    if (code)
        return code;
    code = jc_admission_check(request->server->admission, parsed->n_postings, count_bytes(parsed), ticket->deadline_ns,
                              &err);
    return code ? fail_ticket(request, &err) : jc_policy_admit(request, parsed->n_postings);
}

static jc_code answer(struct jc_request *request)
{
    struct jc_classify *classify = &request->classify;
    jc_timing_gather(&request->timing, &classify->ticket);
    jc_code failure = atomic_load(&classify->ticket.failure);
    if (failure == JC_E_CANCELLED && atomic_load(&classify->ticket.gone))
        return failure;
    if (failure)
        return fail_ticket(request, &classify->ticket.err);
    if (classify->single && classify->ticket.n_items == 0)
        return jc_problem_set(&request->problem, JC_PROBLEM_EMPTY_TEXT, NULL,
                              "No letter or digit is left of the posting after cleaning.");
    request->reply.content_type = "application/json";
    uint64_t start_ns = jc_clock_ns();
    jc_codec_put_answer(classify, request->model->classifier, &request->reply.body);
    jc_metrics_observe(request->server->metrics, JC_HISTOGRAM_ANSWER_SECONDS, jc_clock_ns() - start_ns);
    return JC_OK;
}

static void resume(struct jc_ticket *ticket)
{
    jc_request_resume(ticket->context);
}

/* Not before the whole request is here: from the entry on, the ticket has to be submitted. */
static bool begin(struct jc_request *request)
{
    struct jc_ticket *ticket = &request->classify.ticket;
    bool waits;
    struct jc_err err;
    ticket->done = resume;
    ticket->context = request;
    ticket->fd = jc_request_socket(request);
    if (jc_admission_enter(request->server->admission, ticket, &waits, &err))
        return fail_ticket(request, &err), false;
    if (!waits)
        return (void)!answer(request), false;
    jc_request_suspend(request);
    jc_admission_submit(request->server->admission, ticket);
    return true;
}

static const struct jc_later later = {.begin = begin, .answer = answer};

static jc_code start(struct jc_request *request, struct jc_codec_request *parsed)
{
    struct jc_classify *classify = &request->classify;
    size_t n = parsed->n_postings;
    jc_code code = jc_request_take_model(request);
    if (!code)
        code = check_admission(request, parsed);
    if (code)
        return code;
    classify->ticket.model = request->model;
    classify->ticket.generation = request->model->generation;
    classify->single = parsed->single;
    classify->level = parsed->level;
    classify->postings = calloc(n, sizeof *classify->postings);
    classify->ticket.items = calloc(n, sizeof *classify->ticket.items);
    classify->hits = calloc(n * parsed->top_n, sizeof *classify->hits);
    bool has_evidence = jc_bundle_head(jc_classifier_bundle(request->model->classifier))->exemplars.n > 0;
    if (has_evidence)
        classify->evidence = calloc(n * parsed->top_n, sizeof *classify->evidence);
    if (!classify->postings || !classify->ticket.items || !classify->hits || (has_evidence && !classify->evidence))
        return jc_problem_set_nomem(&request->problem);
    uint64_t start_ns = jc_clock_ns();
    code = prepare(request, parsed);
    if (code)
        return code;
    note_stage(request, JC_STAGE_TOKENIZE, JC_HISTOGRAM_TOKENIZE_SECONDS, start_ns);

    jc_metrics_add(request->server->metrics, JC_COUNTER_EMPTY_TEXTS, n - classify->ticket.n_items);
    if (classify->ticket.n_items == 0)
        return answer(request);
    request->later = &later;
    return JC_OK;
}

jc_code jc_endpoint_classify(struct jc_request *request)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request parsed = {0};
    uint64_t start_ns = jc_clock_ns();
    jc_code code = jc_codec_parse(request->body.data ? request->body.data : "", request->body.n,
                                  request->server->config, &parsed, &request->problem);
    note_stage(request, JC_STAGE_PARSE, JC_HISTOGRAM_PARSE_SECONDS, start_ns);
    jc_buf_finish(&request->body);
    return code ? code : start(request, &parsed);
}

static jc_code read_level(struct jc_request *request, enum jc_level *level)
{
    size_t n;
    const char *name = jc_request_query(request, "level", &n);
    if (name && !jc_level_parse(name, n, level))
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, "/level",
                              "Query parameter 'level': expected " JC_LEVEL_NAMES ".");
    return JC_OK;
}

/* The same for a browser's address bar: ?title=..&body=..&top_n=..&level=.. */
jc_code jc_endpoint_classify_query(struct jc_request *request)
{
    static const char *const names[] = {"title", "body", "top_n", "level"};
    const struct jc_server_config *config = request->server->config;
    struct jc_codec_posting posting = {0};
    uint64_t top_n = config->model.top_n;
    enum jc_level level = JC_LEVEL_NONE;

    jc_code code = jc_request_query_only(request, names, JC_COUNT(names));
    if (!code)
        code = jc_request_query_count(request, "top_n", 1, config->limits.top_n, &top_n);
    if (!code)
        code = read_level(request, &level);
    if (code)
        return code;
    posting.posting.title = jc_request_query(request, "title", &posting.posting.n_title);
    posting.posting.body = jc_request_query(request, "body", &posting.posting.n_body);
    if (!posting.posting.title && !posting.posting.body)
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL,
                              "Query parameter 'title' is missing: /v1/classify?title=ICU+Nurse");
    code = jc_codec_check_posting(&posting.posting, "", config, &request->problem);
    if (code)
        return code;
    struct jc_codec_request parsed = {
        .postings = &posting, .n_postings = 1, .single = true, .top_n = (uint32_t)top_n, .level = level};
    return start(request, &parsed);
}
