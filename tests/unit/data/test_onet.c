/* The O*NET reader: small files as a release has them, and every way they can be wrong, with its line. */
#include <limits.h>

#include "base/file.h"
#include "check.h"
#include "data/onet.h"

static struct jc_err err;
static char folder[] = "/tmp/test_onet.XXXXXX";

#define OCCUPATIONS "O*NET-SOC Code\tTitle\tDescription\r\n"
#define TITLES "O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)\r\n"

static void write_file(const char *name, const char *text, size_t n)
{
    char path[PATH_MAX];
    REQUIRE_OK(jc_path_join(path, sizeof(path), folder, name, &err));
    REQUIRE_OK(jc_file_write(path, text, n, &err));
}

static void write_release(const char *occupations, const char *titles)
{
    write_file("Occupation Data.txt", occupations, strlen(occupations));
    write_file("Alternate Titles.txt", titles, strlen(titles));
}

static void test_load(void)
{
    /* Columns in another order with one more, a byte order mark, LF and CR LF, no line end at the end. */
    write_release("\xef\xbb\xbfTitle\tO*NET-SOC Code\tExtra\tDescription\n"
                  "Bakers\t51-3011.00\t\tBake things.\r\n\n"
                  "Actors\t27-2011.00\tx\t\n",
                  TITLES "27-2011.00\tActress\tn/a\t02,08,10\r\n"
                         "51-3011.00\tP\xc3\xa2tissier\tn/a\t \r\n"
                         "27-2011.00\tMime\tn/a\t10");
    JC_AUTO(jc_onet) struct jc_onet *onet = NULL;
    REQUIRE_OK(jc_onet_load(folder, &onet, &err));

    size_t n;
    const struct jc_onet_occupation *occupations = jc_onet_occupations(onet, &n);
    REQUIRE(n == 2);
    CHECK_STR(occupations[0].code, "51-3011.00");
    CHECK_STR(occupations[0].title, "Bakers");
    CHECK_STR(occupations[0].description, "Bake things.");
    CHECK_STR(occupations[1].code, "27-2011.00");
    CHECK_STR(occupations[1].description, "");

    const struct jc_onet_title *titles = jc_onet_titles(onet, &n);
    REQUIRE(n == 3);
    CHECK_INT(titles[0].occupation, 1);
    CHECK_STR(titles[0].title, "Actress");
    CHECK_STR(titles[0].sources, "02,08,10");
    CHECK_INT(titles[1].occupation, 0);
    CHECK_STR(titles[1].title, "P\xc3\xa2tissier");
    CHECK_STR(titles[2].title, "Mime");
    CHECK_STR(titles[2].sources, "10");
}

static void check_source(const char *sources, const char *source, int wanted)
{
    struct jc_onet_title title = {.title = "x", .sources = sources};
    CHECK_INT(jc_onet_title_has_source(&title, source), wanted);
}

static void test_sources(void)
{
    check_source("02,08,10", "10", 1);
    check_source("02,08,10", "02", 1);
    check_source("02, 08 ,10", "08", 1);
    check_source("02,08", "10", 0);
    check_source("", "10", 0);
    check_source("110,1", "10", 0);
    check_source("10,", "", 0);
    check_source("100", "10", 0);
}

static void check_refused(const char *occupations, const char *titles, const char *part)
{
    struct jc_onet *onet = NULL;
    write_release(occupations, titles);
    CHECK_FAILS(jc_onet_load(folder, &onet, &err), JC_E_FORMAT, part);
    CHECK(!onet);
}

static void test_errors(void)
{
    static const char good[] = OCCUPATIONS "27-2011.00\tActors\tAct.\n";
    check_refused("", TITLES, "Occupation Data.txt: empty");
    check_refused("O*NET-SOC Code\tTitle\n", TITLES, "Occupation Data.txt:1: no column 'Description'");
    check_refused("O*NET-SOC Code\tTitle\tTitle\tDescription\n", TITLES, ":1: column 'Title' stands there twice");
    check_refused(OCCUPATIONS, TITLES, "Occupation Data.txt: no rows");
    check_refused(OCCUPATIONS "27-2011.00\tActors\n", TITLES, "Occupation Data.txt:2: 2 fields, the header has 3");
    check_refused(OCCUPATIONS "27-2011.00\tActors\tx\ty\n", TITLES, "Occupation Data.txt:2: 4 fields");
    check_refused(OCCUPATIONS "27-2011.00\t\tx\n", TITLES, "Occupation Data.txt:2: 'Title' is empty");
    check_refused(OCCUPATIONS "\tActors\tx\n", TITLES, "Occupation Data.txt:2: 'O*NET-SOC Code' is empty");
    check_refused(OCCUPATIONS "1\ta\tx\n2\tb\tx\n1\tc\tx\n", TITLES, "code '1' stands there twice");
    check_refused(OCCUPATIONS "1\ta\tx\n\n2\tb\xff\tx\n", TITLES, "Occupation Data.txt:4: invalid UTF-8 at byte 3");
    check_refused(good, "O*NET-SOC Code\tAlternate Title\n", "Alternate Titles.txt:1: no column 'Source(s)'");
    check_refused(good, TITLES "27-2011.00\tMime\tn/a\t10\n27-2012.00\tMime\tn/a\t10\n",
                  "Alternate Titles.txt:3: code '27-2012.00' is not in Occupation Data.txt");
    check_refused(good, TITLES "27-2011.00\t\tn/a\t10\n", "Alternate Titles.txt:2: 'Alternate Title' is empty");

    struct jc_onet *onet = NULL;
    write_release(good, TITLES);
    static const char with_nul[] = TITLES "27-2011.00\tMi\0me\tn/a\t10\n";
    write_file("Alternate Titles.txt", with_nul, sizeof(with_nul) - 1);
    CHECK_FAILS(jc_onet_load(folder, &onet, &err), JC_E_FORMAT, "Alternate Titles.txt:2: a NUL byte");
    CHECK_FAILS(jc_onet_load("/nonexistent", &onet, &err), JC_E_NOT_FOUND, "/nonexistent/Occupation Data.txt");
    CHECK(!onet);

    /* A header with more fields than a reader's row holds. */
    char wide[200];
    memset(wide, '\t', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    check_refused(wide, TITLES, "more than 64 fields");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_load();
    test_sources();
    test_errors();
    jc_onet_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
