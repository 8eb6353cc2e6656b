/* Both forms of the report over hostile data: JSON that parses and says what was measured, HTML whose tags are balanced
 * and whose texts are only texts; nothing in it asks a network. */
#include <jansson.h>

#include "base/file.h"
#include "base/sha256.h"
#include "check.h"
#include "trainer/report/markup.h"
#include "trainer/report/report_content.h"

static struct jc_err err;

#define HOSTILE "</script><b onload='x'>\" & <!-- "

/* A whole report over six rows of three categories. */
struct fixture {
    struct jc_read_report read;
    struct jc_split_report split;
    struct jc_mislabelled mislabelled;
    struct jc_dataset *dataset;
    struct jc_prediction predictions[6];
    uint32_t n_train[3];
    struct jc_evaluation evaluation;
    struct jc_data_report data;
    struct jc_comparison comparison;
    struct jc_report_method methods[2];
    struct jc_curve curves[2];
    struct jc_report_comparison comparisons[1];
    struct jc_report_content content;
};

static const double losses[] = {1.25, .5, NAN, .25};

static void make_dataset(struct fixture *f)
{
    static const char *const titles[] = {HOSTILE, "Nurse \x01 Practitioner", "bad \xff utf-8", "Chef", "Chef", "x"};
    uint32_t category;
    f->dataset = jc_dataset_create();
    REQUIRE(f->dataset);
    REQUIRE_OK(jc_dataset_add_category(f->dataset, "29-1141.00", "Nurses " HOSTILE, "nurse", &category, &err));
    REQUIRE_OK(jc_dataset_add_category(f->dataset, "35-1011.00", "Chefs & Cooks", "chef", &category, &err));
    REQUIRE_OK(jc_dataset_add_category(f->dataset, "<i>", HOSTILE, "what", &category, &err));
    for (uint32_t i = 0; i < 6; i++) {
        struct jc_example example = {
            .category = i % 3, .parent = JC_EXAMPLE_NO_PARENT, .n_sources = 1, .weight = 1, .role = JC_ROLE_TEST};
        REQUIRE_OK(jc_texts_add(f->dataset->texts, titles[i], strlen(titles[i]), &example.text, &err));
        REQUIRE_OK(jc_dataset_add(f->dataset, &example, &err));
    }
}

static void fixture_init(struct fixture *f)
{
    static const uint32_t token_lengths[] = {3, 3, 3, 3, 4, 5, 60, 3, 3, 3};
    *f = (struct fixture){.n_train = {0, 4, 12}};
    make_dataset(f);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t right = i % 3, answered = i >= 4 ? right : (right + 1) % 3;
        f->predictions[i] = (struct jc_prediction){.example = i,
                                                   .category = right,
                                                   .rank = i >= 4 ? 1 : 2,
                                                   .n_hits = 1,
                                                   .hits = {{answered, .5f}},
                                                   .confidence = .9f - .1f * (float)i};
    }
    struct jc_evaluation_input input = {f->predictions, 6, f->dataset->categories, f->n_train, 3, 1};
    REQUIRE_OK(jc_evaluation_compute(&input, &f->evaluation, &err));
    REQUIRE_OK(jc_data_report_compute(f->dataset, JC_ROLE_ANY, token_lengths, &f->data, &err));
    REQUIRE_OK(jc_comparison_compute(f->predictions, f->predictions, 6, 1, &f->comparison, &err));
    for (size_t i = 0; i < JC_COUNT(losses); i++) {
        REQUIRE_OK(jc_curve_add(&f->curves[0], losses[i], losses[i], &err));
        if (i == 0)
            REQUIRE_OK(jc_curve_add(&f->curves[1], losses[i], NAN, &err));
    }
    f->methods[0] = (struct jc_report_method){.name = HOSTILE,
                                              .evaluation = &f->evaluation,
                                              .predictions = f->predictions,
                                              .fit_seconds = 1.5,
                                              .predict_seconds = NAN,
                                              .curve = &f->curves[0]};
    f->methods[1] = (struct jc_report_method){.name = "softmax",
                                              .evaluation = &f->evaluation,
                                              .validation = &f->evaluation,
                                              .predictions = f->predictions,
                                              .fit_seconds = 12,
                                              .predict_seconds = .25,
                                              .curve = &f->curves[1]};
    f->read = (struct jc_read_report){.n_rows = 8, .n_bad = 2, .n_mapped = 1};
    f->split = (struct jc_split_report){
        .n_train = 16, .n_test = 6, .n_leaked = 3, .n_rare_categories = 2, .n_rare_rows = 5, .test_from_s = 1700000000};
    f->mislabelled =
        (struct jc_mislabelled){.n_rows = 20, .n_checked = 10, .n_suspect = 11, .sharpness = 5, .n_suspects = 11};
    for (uint32_t i = 0; i < 11; i++)
        f->mislabelled.suspects[i] = (struct jc_suspect){
            .example = i % 6, .n_rows = 1 + i, .suggested = 1, .probability = .96f, .own_probability = .01f};
    f->comparisons[0] = (struct jc_report_comparison){HOSTILE, "softmax", &f->comparison, .01};
    f->content = (struct jc_report_content){.model = HOSTILE,
                                            .data = HOSTILE,
                                            .encoder = HOSTILE,
                                            .date = "2026-01-31",
                                            .measured_on = "test",
                                            .attribution = HOSTILE,
                                            .dataset = f->dataset,
                                            .n_train = f->n_train,
                                            .data_report = &f->data,
                                            .read = &f->read,
                                            .split = &f->split,
                                            .mislabelled = &f->mislabelled,
                                            .methods = f->methods,
                                            .n_methods = 2,
                                            .i_chosen = 1,
                                            .comparisons = f->comparisons,
                                            .n_comparisons = 1,
                                            .encode_seconds = 3.25,
                                            .n_encoded = 6};
}

static void fixture_finish(struct fixture *f)
{
    jc_evaluation_finish(&f->evaluation);
    for (size_t i = 0; i < JC_COUNT(f->curves); i++)
        jc_curve_finish(&f->curves[i]);
    jc_dataset_destroy(f->dataset);
}

static double number_at(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void check_data_json(const json_t *root)
{
    const json_t *data = json_object_get(root, "data"), *split = json_object_get(root, "split"),
                 *mislabelled = json_object_get(root, "mislabelled");
    CHECK_INT(json_array_size(json_object_get(data, "rows_by_tokens")), JC_TOKEN_BINS);
    CHECK_NEAR(number_at(data, "n_rows_cut_from_bodies"), 0, 0);
    CHECK_INT(json_integer_value(json_object_get(json_object_get(root, "read"), "n_bad")), 2);
    CHECK_INT(json_integer_value(json_object_get(split, "n_test_rows_whose_title_trains")), 3);
    CHECK_INT(json_integer_value(json_object_get(split, "test_from_s")), 1700000000);
    CHECK_INT(json_integer_value(json_object_get(mislabelled, "n_suspect")), 11);
    const json_t *suspects = json_object_get(mislabelled, "suspects"), *first = json_array_get(suspects, 0);
    CHECK_INT(json_array_size(suspects), 11);
    CHECK_STR(json_string_value(json_object_get(first, "title")), HOSTILE);
    CHECK_STR(json_string_value(json_object_get(first, "labelled")), "29-1141.00");
    CHECK_STR(json_string_value(json_object_get(first, "suggested")), "35-1011.00");
    CHECK_NEAR(number_at(first, "probability"), .96, 1e-6);
}

static void test_json(struct fixture *f)
{
    JC_AUTO_BUF struct jc_buf out = {0};
    jc_report_put_json(&out, &f->content);
    json_error_t where;
    json_t *root = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, &where);
    REQUIRE(check_report(root != NULL, __FILE__, __LINE__, "%s at byte %d", where.text, where.position));
    CHECK_STR(json_string_value(json_object_get(root, "model")), HOSTILE);
    CHECK_STR(json_string_value(json_object_get(root, "chosen")), "softmax");
    CHECK(json_is_null(json_object_get(root, "version")));
    json_t *methods = json_object_get(root, "methods");
    REQUIRE(json_array_size(methods) == 2);
    json_t *method = json_array_get(methods, 0);
    CHECK_NEAR(number_at(json_object_get(method, "top_1"), "value"), 2.0 / 6, 1e-8);
    CHECK_NEAR(number_at(method, "ece"), f->evaluation.ece, 1e-8);
    CHECK(json_is_null(json_object_get(method, "predict_seconds")));
    CHECK(json_is_null(json_object_get(method, "total_seconds")));
    CHECK(json_is_null(json_object_get(method, "validation")));
    json_t *chosen = json_array_get(methods, 1), *validation = json_object_get(chosen, "validation");
    CHECK_NEAR(number_at(chosen, "total_seconds"), 3.25 + 12 + .25, 1e-8);
    CHECK_NEAR(number_at(validation, "ece"), f->evaluation.ece, 1e-8);
    CHECK_INT(json_array_size(json_object_get(chosen, "by_category_size")), JC_SIZE_BINS);
    CHECK_INT(json_array_size(json_object_get(method, "calibration")), JC_CALIBRATION_BINS);
    CHECK_INT(json_array_size(json_object_get(method, "by_category")), 3);
    json_t *pair = json_array_get(json_object_get(method, "most_confused"), 0);
    CHECK_STR(json_string_value(json_object_get(pair, "right")), "29-1141.00");
    CHECK_STR(json_string_value(json_array_get(json_object_get(pair, "examples"), 0)), HOSTILE);
    json_t *losses_json = json_object_get(json_array_get(json_object_get(root, "curves"), 0), "validation");
    CHECK_INT(json_array_size(losses_json), 4);
    CHECK(json_is_null(json_array_get(losses_json, 2)));
    check_data_json(root);
    json_t *comparison = json_array_get(json_object_get(root, "comparisons"), 0);
    CHECK_STR(json_string_value(json_object_get(comparison, "verdict")), "not worse");
    json_decref(root);
}

struct stack {
    char names[64][16];
    size_t n;
};

static int is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "input") == 0;
}

/* Reads the tag at html[0] == '<' and returns its length, or 0 where it is not well-formed: names in lower case,
 * every attribute value between double quotes. */
static size_t read_tag(const char *html, struct stack *stack)
{
    bool closing = html[1] == '/';
    const char *name = html + 1 + closing;
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    char text[16];
    if (n == 0 || n >= sizeof(text))
        return 0;
    memcpy(text, name, n);
    text[n] = '\0';
    const char *at = name + n;
    while (*at == ' ') {
        at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        if (*at != '=')
            continue;
        if (at[1] != '"')
            return 0;
        at += 2 + strcspn(at + 2, "\"<>");
        if (*at++ != '"')
            return 0;
    }
    bool empty = *at == '/';
    at += empty;
    if (*at != '>')
        return 0;
    if (closing)
        return stack->n && strcmp(stack->names[--stack->n], text) == 0 ? (size_t)(at + 1 - html) : 0;
    if (!empty && !is_void(text)) {
        if (stack->n == JC_COUNT(stack->names))
            return 0;
        memcpy(stack->names[stack->n++], text, n + 1);
    }
    return (size_t)(at + 1 - html);
}

static bool is_reference(const char *text)
{
    static const char *const references[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    for (size_t i = 0; i < JC_COUNT(references); i++)
        if (strncmp(text, references[i], strlen(references[i])) == 0)
            return true;
    return false;
}

/* Where the HTML is not well-formed, or NULL. Counts elements named `watched`. */
static const char *find_flaw(const char *html, const char *watched, size_t *ret_count)
{
    static const char doctype[] = "<!DOCTYPE html>";
    struct stack stack = {0};
    *ret_count = 0;
    if (strncmp(html, doctype, strlen(doctype)) != 0)
        return html;
    for (const char *at = html + strlen(doctype); *at;) {
        if (*at == '<') {
            size_t n_open = stack.n, n = read_tag(at, &stack);
            if (n == 0)
                return at;
            at += n;
            const char *name = stack.n > n_open ? stack.names[stack.n - 1] : "";
            *ret_count += strcmp(name, watched) == 0;
            if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0)
                at += strcspn(at, "<");
        } else if (*at == '>' || (*at == '&' && !is_reference(at)) || ((unsigned char)*at < 0x20 && *at != '\n')) {
            return at;
        } else {
            at++;
        }
    }
    return stack.n ? html + strlen(html) : NULL;
}

/* The scanner finds what it is there to find. */
static void test_scanner(void)
{
    static const char *const flawed[] = {"<p>",
                                         "<!DOCTYPE html><p><b></p></b>",
                                         "<!DOCTYPE html><p>",
                                         "<!DOCTYPE html><p>a & b</p>",
                                         "<!DOCTYPE html><p>a > b</p>",
                                         "<!DOCTYPE html><p title=x></p>",
                                         "<!DOCTYPE html><p title=\"<\"></p>",
                                         "<!DOCTYPE html></p>"};
    size_t n;
    for (size_t i = 0; i < JC_COUNT(flawed); i++)
        check_report(find_flaw(flawed[i], "p", &n) != NULL, __FILE__, __LINE__, "no flaw in %s", flawed[i]);
    CHECK(find_flaw("<!DOCTYPE html><p title=\"a\">x &amp; y<meta a=\"b\"><path d=\"\"/></p>", "p", &n) == NULL);
    CHECK_INT(n, 1);
}

static void test_html(struct fixture *f)
{
    JC_AUTO_BUF struct jc_buf out = {0};
    size_t n_scripts, n_details;
    jc_report_put_html(&out, &f->content);
    REQUIRE_OK(jc_buf_check(&out, &err));
    const char *flaw = find_flaw(out.data, "script", &n_scripts);
    check_report(!flaw, __FILE__, __LINE__, "not well-formed at: %.80s", flaw ? flaw : "");
    CHECK_INT(n_scripts, 1);
    CHECK(strstr(out.data, "onload='x'") == NULL);
    static const char *const parts[] = {"&lt;/script&gt;&lt;b onload=&#39;x&#39;&gt;&quot; &amp; &lt;!-- ",
                                        "prefers-color-scheme:dark",
                                        "name=\"viewport\"",
                                        "Nurse   Practitioner",
                                        "bad \xef\xbf\xbd utf-8",
                                        "33.3 %",
                                        "softmax against the others",
                                        "bad, in rejects.csv</td><td>2<",
                                        "3 of 6 test rows (50.0 %)",
                                        "Rows from 2023-11-14 22:13 UTC on",
                                        "96.0 % against 1.0 %, 2 rows",
                                        ">1 more</summary>"};
    for (size_t i = 0; i < JC_COUNT(parts); i++)
        check_report(strstr(out.data, parts[i]) != NULL, __FILE__, __LINE__, "nowhere: %s", parts[i]);
    CHECK(strstr(out.data, "http://") == NULL && strstr(out.data, "https://") == NULL);
    CHECK(strstr(out.data, "nan") == NULL && strstr(out.data, "inf ") == NULL);
    CHECK(find_flaw(out.data, "details", &n_details) == flaw);
    CHECK_INT(n_details, 3 + 3 + 1); /* each group, each category: all have a mistake; suspects from the 11th on */
}

/* What a run does not have is left out, in both forms. */
static void test_little(const struct fixture *f)
{
    JC_AUTO_BUF struct jc_buf html = {0}, json = {0};
    struct jc_report_method method = f->methods[1];
    struct jc_report_content content = f->content;
    size_t n;
    method.validation = NULL;
    method.curve = NULL;
    content.methods = &method;
    content.n_methods = 1;
    content.i_chosen = 0;
    content.n_comparisons = 0;
    content.read = NULL;
    content.split = NULL;
    content.mislabelled = NULL;
    jc_report_put_html(&html, &content);
    jc_report_put_json(&json, &content);
    REQUIRE_OK(jc_buf_check(&html, &err));
    REQUIRE_OK(jc_buf_check(&json, &err));
    CHECK(find_flaw(html.data, "p", &n) == NULL);
    static const char *const absent[] = {"id=\"losses\"", "against the others", "validation top-1", "What was read",
                                         ">Split<",       "mislabelled",        "rejects.csv"};
    for (size_t i = 0; i < JC_COUNT(absent); i++)
        check_report(strstr(html.data, absent[i]) == NULL, __FILE__, __LINE__, "there is: %s", absent[i]);
    json_t *root = json_loadb(json.data, json.n, JSON_REJECT_DUPLICATES, NULL);
    REQUIRE(root);
    CHECK(!json_object_get(root, "read") && !json_object_get(root, "split") && !json_object_get(root, "mislabelled"));
    CHECK_INT(json_array_size(json_object_get(root, "curves")), 0);
    json_decref(root);
}

static void put_base64(const unsigned char *bytes, size_t n, struct jc_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned v =
            (unsigned)bytes[i] << 16 | (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0) | (i + 2 < n ? bytes[i + 2] : 0);
        jc_buf_putc(out, digits[v >> 18]);
        jc_buf_putc(out, digits[v >> 12 & 63]);
        jc_buf_putc(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
        jc_buf_putc(out, i + 2 < n ? digits[v & 63] : '=');
    }
}

/* The policy lets the report's own script run, and no other. */
static void test_policy(struct fixture *f)
{
    JC_AUTO_BUF struct jc_buf out = {0}, policy = {0};
    jc_report_put_html(&out, &f->content);
    const char *start = strstr(out.data, "<script>"), *end = start ? strstr(start, "</script>") : NULL;
    REQUIRE(end);
    start += strlen("<script>");
    char hex[JC_SHA256_HEX];
    jc_sha256_hex(start, (size_t)(end - start), hex);
    unsigned char digest[32];
    for (size_t i = 0; i < sizeof(digest); i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], 0};
        digest[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
    jc_buf_puts(&policy, "script-src 'sha256-");
    put_base64(digest, sizeof(digest), &policy);
    jc_buf_putc(&policy, '\'');
    CHECK(strstr(out.data, policy.data) != NULL);
}

static void test_markup(void)
{
    static const struct {
        const char *text;
        size_t max_chars;
        const char *want;
    } cases[] = {
        {"a<b>&\"'", 0, "a&lt;b&gt;&amp;&quot;&#39;"},
        {"caf\xc3\xa9s", 4, "caf\xc3\xa9\xe2\x80\xa6"},
        {"caf\xc3\xa9", 4, "caf\xc3\xa9"},
        {"tab\there\x7f", 0, "tab here "},
        {"\xe2\x80\xaegnp.exe", 0, " gnp.exe"},
        {"\xc3(<", 0, "\xef\xbf\xbd(&lt;"},
        {"", 0, ""},
    };
    for (size_t i = 0; i < JC_COUNT(cases); i++) {
        JC_AUTO_BUF struct jc_buf out = {0};
        jc_markup_put_text(&out, cases[i].text, cases[i].max_chars);
        CHECK_STR(out.data ? out.data : "", cases[i].want);
    }
}

static void test_write(struct fixture *f)
{
    char folder[] = "/tmp/jobcode-report-XXXXXX", path[64];
    REQUIRE(mkdtemp(folder));
    REQUIRE_OK(jc_report_write(folder, &f->content, &err));
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, i ? "report.html" : "report.json");
        CHECK(jc_file_exists(path));
    }
    jc_dir_remove(folder);
    CHECK_FAILS(jc_report_write(folder, &f->content, &err), JC_E_IO, "report.json");
}

int main(void)
{
    __attribute__((cleanup(fixture_finish))) struct fixture f;
    fixture_init(&f);
    test_json(&f);
    test_scanner();
    test_html(&f);
    test_little(&f);
    test_policy(&f);
    test_markup();
    test_write(&f);
    return check_finish();
}
