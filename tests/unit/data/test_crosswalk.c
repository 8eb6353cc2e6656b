/* Crosswalks: one code to one, to several, several to one; both spellings of the header; every error with its line. */
#include "data/crosswalk.h"

#include "data_files.h"

static void load(const char *name, const char *text, struct jc_crosswalk **ret_crosswalk)
{
    REQUIRE_OK(jc_crosswalk_load(write_text(name, text), ret_crosswalk, &err));
}

/* The new codes of `from`, with blanks between them. */
static void check_find(const struct jc_crosswalk *crosswalk, const char *from, const char *want)
{
    char seen[100] = "";
    size_t n;
    const struct jc_crosswalk_pair *pairs = jc_crosswalk_find(crosswalk, from, &n);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(pairs[i].from, from);
        strcat(strcat(seen, i ? " " : ""), pairs[i].to);
    }
    CHECK_STR(seen, want);
}

static void test_find(void)
{
    JC_AUTO(jc_crosswalk) struct jc_crosswalk *crosswalk = NULL, *official = NULL;
    load("a.csv",
         "\xef\xbb\xbfsoc2010_code;soc2010_title;soc2019_code;soc2019_title\r\n"
         "15-1132.00;Developers, Applications;15-1252.00;Developers\r\n"
         "11-2031.00;PR and Fundraising;11-2033.00;Fundraising\r\n"
         "11-2031.00;PR and Fundraising;11-2032.00;PR\r\n"
         "11-2031.00;PR and Fundraising;11-2032.00;PR\r\n"
         "15-1133.00;Developers, Systems;15-1252.00;Developers\r\n",
         &crosswalk);
    check_find(crosswalk, "15-1132.00", "15-1252.00");
    check_find(crosswalk, "15-1133.00", "15-1252.00");
    check_find(crosswalk, "11-2031.00", "11-2032.00 11-2033.00");
    check_find(crosswalk, "15-1252.00", "");
    check_find(crosswalk, "", "");
    check_find(crosswalk, "99-9999.99", "");
    size_t n;
    CHECK_STR(jc_crosswalk_pairs(crosswalk, &n)[0].to, "11-2032.00");
    CHECK_INT(n, 4);
    CHECK_STR(jc_crosswalk_find(crosswalk, "15-1132.00", &n)->title, "Developers");
    CHECK(jc_crosswalk_has_new(crosswalk, "11-2033.00"));
    CHECK(!jc_crosswalk_has_new(crosswalk, "11-2031.00"));

    load("a.csv",
         "O*NET-SOC 2010 Code,O*NET-SOC 2010 Title,O*NET-SOC 2019 Code,O*NET-SOC 2019 Title\n"
         "11-1011,\"Chief, \"\"Executives\"\"\",11-1011.03,x\n",
         &official);
    check_find(official, "11-1011.00", "11-1011.03");
    CHECK_STR(jc_crosswalk_pairs(official, &n)->title, "x");

    JC_AUTO(jc_crosswalk) struct jc_crosswalk *bare = NULL;
    load("a.csv", "soc2010_code,soc2019_code\n11-1011,11-1011.03\n", &bare);
    CHECK_STR(jc_crosswalk_pairs(bare, &n)->title, "");
}

static void check_refused(const char *text, const char *part)
{
    struct jc_crosswalk *crosswalk = NULL;
    CHECK_FAILS(jc_crosswalk_load(write_text("a.csv", text), &crosswalk, &err), JC_E_FORMAT, part);
    CHECK(!crosswalk);
}

static void test_errors(void)
{
    struct jc_crosswalk *crosswalk = NULL;
    check_refused("a,b\n1,2\n", "a.csv: no columns 'O*NET-SOC 2010 Code' and 'O*NET-SOC 2019 Code'");
    check_refused("soc2010_code,x\n11-1011.00,y\n", "a.csv: no columns");
    check_refused("soc2010_code,soc2019_code\n", "a.csv: no rows");
    check_refused("soc2010_code,soc2019_code\n11-1011.00\n", "a.csv:2: 1 field, the header has 2");
    check_refused("soc2010_code,soc2019_code\n\n11-1011.00,11-1011.0\n", "a.csv:3: '11-1011.0' is not a code");
    check_refused("soc2010_code,soc2019_code\nx,11-1011.00\n", "a.csv:2: 'x' is not a code");
    check_refused("soc2010_code,soc2019_code,soc2019_code\n1,2,3\n", "both called 'soc2019_code'");
    CHECK_FAILS(jc_crosswalk_load("/nonexistent.csv", &crosswalk, &err), JC_E_NOT_FOUND, "/nonexistent.csv");
    JC_AUTO_BUF struct jc_buf many = {0};
    jc_buf_puts(&many, "soc2010_code,soc2019_code\n");
    for (int i = 0; i <= 100000; i++)
        jc_buf_puts(&many, "11-1011,11-1011\n");
    check_refused(many.data, "a.csv:100002: more than 100000 rows");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_find();
    test_errors();
    jc_crosswalk_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
