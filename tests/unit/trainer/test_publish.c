/* Publishing versions: which stay, what `current` names, what is left alone, and a writer that is killed. */
#include "trainer/publish/publish.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/rng.h"
#include "bundle_manifest.h"
#include "check.h"
#include "model/classifier.h"
#include "small_model.h"
#include "trainer/publish/versions.h"

enum { DIM = 384, N = 2, VERSION_BYTES = 100, KILLS = 60, PATIENCE_US = 20000000 };

static struct jc_err err;
static char top[] = "/tmp/jc-test-publish-XXXXXX";
static char vocab[PATH_MAX], root[PATH_MAX]; /* root: of the test that runs */

static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    REQUIRE_OK(jc_path_join(path, PATH_MAX, root, name, &err));
    return path;
}

/* A new empty root: the folder itself is for the publication to make. */
static void begin(const char *name)
{
    REQUIRE_OK(jc_path_join(root, sizeof root, top, name, &err));
    CHECK(!jc_file_exists(root));
}

/* A bundle that says its number three times: in a title, and in an embedding of each category. */
struct numbered {
    struct jc_manifest *manifest;
    struct jc_head head;
    char title[32];
    struct jc_category categories[N];
    struct jc_bundle_content content;
};

static void numbered_init(struct numbered *bundle, int number)
{
    *bundle = (struct numbered){.manifest = bundle_manifest_create("direct", "fake")};
    snprintf(bundle->title, sizeof bundle->title, "number %d", number);
    bundle->categories[0] = (struct jc_category){"10-0000.00", bundle->title};
    bundle->categories[1] = (struct jc_category){"10-0001.00", "Other"};
    REQUIRE_OK(jc_head_init(&bundle->head, N, DIM, 0, 0, &err));
    bundle->head.matrix[0] = bundle->head.matrix[DIM] = (float)number;
    bundle->content = (struct jc_bundle_content){
        .manifest = bundle->manifest, .categories = bundle->categories, .head = &bundle->head, .vocab_path = vocab};
}

static void numbered_finish(struct numbered *bundle)
{
    jc_head_finish(&bundle->head);
    jc_manifest_destroy(bundle->manifest);
}

/* Publishes bundle `number`; its version in ret_version. */
static jc_code publish_number(int number, size_t keep, char ret_version[VERSION_BYTES])
{
    JC_AUTO_FINISH(numbered) struct numbered bundle;
    numbered_init(&bundle, number);
    jc_code code = jc_publish_version(root, keep, &bundle.content, &err);
    if (!code)
        snprintf(ret_version, VERSION_BYTES, "%s", bundle.manifest->version);
    return code;
}

/* Loads root/current and checks that all of it is of one version. Returns its number. */
static int load_current(void)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    REQUIRE_OK(jc_bundle_load(at("current"), JC_BUNDLE_COMPLETE, &bundle, &err));
    size_t n;
    int number = -1;
    const struct jc_category *categories = jc_bundle_categories(bundle, &n);
    REQUIRE(n == N && sscanf(categories[0].title, "number %d", &number) == 1);
    CHECK(jc_bundle_head(bundle)->matrix[0] == (float)number);
    CHECK(jc_bundle_head(bundle)->matrix[DIM] == (float)number);
    const char *name = strrchr(jc_bundle_folder(bundle), '/');
    CHECK_STR(name ? name + 1 : NULL, jc_bundle_manifest(bundle)->version);
    return number;
}

static void check_current(const char *version)
{
    char target[PATH_MAX] = "";
    CHECK(readlink(at("current"), target, sizeof target - 1) > 0);
    CHECK_STR(target, version);
}

/* Entries of root, and those whose name contains `part`; the lock, which is hidden, aside. */
static size_t count_entries(const char *part)
{
    size_t n = 0;
    DIR *dir = opendir(root);
    REQUIRE(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.' && strstr(entry->d_name, part);
    closedir(dir);
    return n;
}

static void make_old(const char *name, time_t age_s)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    REQUIRE(utimensat(AT_FDCWD, at(name), times, AT_SYMLINK_NOFOLLOW) == 0);
}

static void make_folder(const char *name, const char *manifest)
{
    char path[PATH_MAX];
    REQUIRE(mkdir(at(name), 0777) == 0);
    REQUIRE_OK(jc_path_join(path, sizeof path, at(name), JC_BUNDLE_MANIFEST, &err));
    if (manifest)
        REQUIRE_OK(jc_file_write(path, manifest, strlen(manifest), &err));
}

/* Each test's own folder goes away with all in it, one level of folders deep. */
static void end(void)
{
    DIR *dir = opendir(root);
    REQUIRE(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && unlink(at(entry->d_name)) != 0)
            jc_dir_remove(at(entry->d_name));
    closedir(dir);
    jc_dir_remove(root);
    CHECK(!jc_file_exists(root));
}

static void test_come_and_go(void)
{
    char versions[6][VERSION_BYTES], text[6 * VERSION_BYTES];
    JC_AUTO_BUF struct jc_buf order = {0};
    begin("deep/root");
    for (int i = 0; i < 6; i++) {
        REQUIRE_OK(publish_number(i, 3, versions[i]));
        CHECK_INT(load_current(), i);
        check_current(versions[i]);
        CHECK_INT(count_entries("test-direct-"), i < 3 ? i + 1 : 3);
    }
    for (int i = 0; i < 6; i++)
        CHECK_INT(jc_file_exists(at(versions[i])), i >= 3);
    CHECK_INT(count_entries(""), 5); /* three versions, the link, the order */

    /* The order is the file's, whatever the folders' times are. */
    snprintf(text, sizeof text, "%s\n%s\n%s\n", versions[3], versions[4], versions[5]);
    REQUIRE_OK(jc_file_read(at("published.txt"), 1000, &order, &err));
    CHECK_STR(order.data, text);
    make_old(versions[5], 100000);
    make_old(versions[4], 200000);
    REQUIRE_OK(publish_number(6, 2, versions[0]));
    CHECK(jc_file_exists(at(versions[5])) && !jc_file_exists(at(versions[4])) && !jc_file_exists(at(versions[3])));

    /* One that the order does not name is the oldest. */
    REQUIRE(unlink(at("published.txt")) == 0);
    REQUIRE_OK(publish_number(7, 3, versions[1]));
    REQUIRE_OK(publish_number(8, 2, versions[2]));
    CHECK(jc_file_exists(at(versions[1])) && jc_file_exists(at(versions[2])));
    CHECK_INT(count_entries("test-direct-"), 2);
    REQUIRE_OK(publish_number(9, 1, versions[3]));
    CHECK_INT(count_entries("test-direct-"), 1);
    CHECK_INT(load_current(), 9);
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(jc_classifier_load(at("current"), NULL, &classifier, &err));
    end();
}

static void test_rolled_back(void)
{
    char one[VERSION_BYTES], two[VERSION_BYTES], three[VERSION_BYTES];
    begin("rolled-back");
    REQUIRE_OK(publish_number(1, 2, one));
    REQUIRE_OK(publish_number(2, 2, two));
    REQUIRE(unlink(at("current")) == 0 && symlink(one, at("current")) == 0);
    CHECK_INT(load_current(), 1);

    /* The same content again: the folder that stands there is kept, and is the newest. */
    struct stat before, after;
    REQUIRE(stat(at(two), &before) == 0);
    REQUIRE_OK(publish_number(2, 2, three));
    CHECK_STR(three, two);
    check_current(two);
    REQUIRE_OK(publish_number(1, 2, three));
    check_current(one);
    REQUIRE(stat(at(two), &after) == 0);
    CHECK_INT(after.st_ino, before.st_ino);
    REQUIRE_OK(publish_number(3, 2, three)); /* one is newer than two */
    CHECK(jc_file_exists(at(one)) && !jc_file_exists(at(two)));
    CHECK_INT(count_entries(".tmp-"), 0);
    end();
}

/* The version is there, and damaged: it is replaced by the new one. */
static void test_damaged(void)
{
    char version[VERSION_BYTES], path[PATH_MAX];
    JC_AUTO_FINISH(numbered) struct numbered bundle;
    begin("damaged");
    REQUIRE_OK(publish_number(1, 2, version));
    REQUIRE_OK(jc_path_join(path, sizeof path, at(version), JC_BUNDLE_TITLES, &err));
    REQUIRE_OK(jc_file_write(path, "code\t", 5, &err));
    REQUIRE_OK(publish_number(1, 2, version));
    CHECK_INT(load_current(), 1);

    /* A complete one takes the place of a portable one, and stays where a portable one comes. */
    char sha256[JC_SHA256_HEX];
    numbered_init(&bundle, 2);
    bundle.content.vocab_path = NULL;
    REQUIRE_OK(jc_sha256_file(vocab, sha256, &err));
    REQUIRE_OK(jc_manifest_set_file(bundle.manifest, JC_BUNDLE_VOCAB, sha256, &err));
    REQUIRE_OK(jc_publish_version(root, 2, &bundle.content, &err));
    REQUIRE_OK(jc_path_join(path, sizeof path, at(bundle.manifest->version), JC_BUNDLE_VOCAB, &err));
    CHECK(!jc_file_exists(path));
    REQUIRE_OK(publish_number(2, 2, version));
    CHECK_STR(bundle.manifest->version, version);
    CHECK(jc_file_exists(path));
    REQUIRE_OK(jc_publish_version(root, 2, &bundle.content, &err));
    CHECK(jc_file_exists(path));
    CHECK_INT(load_current(), 2);
    end();
}

static void test_current_link(void)
{
    char version[VERSION_BYTES];
    begin("link");
    REQUIRE(mkdir(root, 0777) == 0 && symlink("gone", at("current")) == 0);
    struct jc_bundle *bundle = NULL;
    CHECK_FAILS(jc_bundle_load(at("current"), JC_BUNDLE_COMPLETE, &bundle, &err), JC_E_NOT_FOUND, "link/current");
    REQUIRE_OK(publish_number(1, 1, version));
    CHECK_INT(load_current(), 1);

    REQUIRE(unlink(at("current")) == 0);
    make_folder("current", "mine");
    CHECK_FAILS(publish_number(2, 1, version), JC_E_INVALID, "link/current' is not a symbolic link");
    CHECK_INT(count_entries("test-direct-"), 1);
    jc_dir_remove(at("current"));
    REQUIRE_OK(jc_file_write(at("current"), "x", 1, &err));
    CHECK_FAILS(publish_number(2, 1, version), JC_E_INVALID, "link/current' is not a symbolic link");
    CHECK_INT(count_entries(""), 3);
    end();
}

static void test_foreign(void)
{
    char version[VERSION_BYTES], elsewhere[PATH_MAX];
    JC_AUTO_FINISH(numbered) struct numbered bundle;
    begin("foreign");
    REQUIRE(mkdir(root, 0777) == 0);
    numbered_init(&bundle, 1);
    REQUIRE_OK(jc_bundle_write(at("another-name"), &bundle.content, &err)); /* a bundle, and not under its version */
    REQUIRE_OK(jc_path_join(elsewhere, sizeof elsewhere, top, bundle.manifest->version, &err));
    REQUIRE_OK(jc_bundle_write(elsewhere, &bundle.content, &err));
    REQUIRE(symlink(elsewhere, at(bundle.manifest->version)) == 0); /* under its version, and not a folder */
    make_folder("empty", NULL);
    make_folder("notes", "{}");
    make_folder("recent.tmp-abc123", "mine");
    make_folder("killed.tmp-abc123", "half");
    make_folder("odd.tmp-abc12", "mine");
    REQUIRE(symlink(elsewhere, at("link.tmp-abc123")) == 0 && symlink("x", at("current.tmp-00abcd")) == 0);
    REQUIRE_OK(jc_file_write(at("text.tmp-abc123"), "x", 1, &err));
    REQUIRE_OK(jc_file_write(at("published.txt.tmp-abc123"), "x", 1, &err));
    static const char *const old[] = {"killed.tmp-abc123", "odd.tmp-abc12",      "link.tmp-abc123",
                                      "text.tmp-abc123",   "current.tmp-00abcd", "published.txt.tmp-abc123"};
    for (size_t i = 0; i < JC_COUNT(old); i++)
        make_old(old[i], 25 * 60 * 60);
    make_old("recent.tmp-abc123", 23 * 60 * 60);

    for (int i = 2; i < 5; i++)
        REQUIRE_OK(publish_number(i, 1, version));
    CHECK_INT(load_current(), 4);
    /* Eight of theirs (another-name, the link to elsewhere, empty, notes, recent, odd, link, text), three of ours. */
    CHECK_INT(count_entries(""), 11);
    for (size_t i = 0; i < JC_COUNT(old); i++)
        CHECK_INT(faccessat(AT_FDCWD, at(old[i]), F_OK, AT_SYMLINK_NOFOLLOW) == 0, i >= 1 && i <= 3);
    JC_AUTO(jc_bundle) struct jc_bundle *loaded = NULL;
    REQUIRE_OK(jc_bundle_load(elsewhere, JC_BUNDLE_COMPLETE, &loaded, &err));

    /* What stands under the name of a version and is none is not replaced. */
    CHECK_FAILS(publish_number(1, 1, version), JC_E_INVALID, "is not the version of that name");
    CHECK_INT(load_current(), 4);
    jc_dir_remove(elsewhere);
    end();
}

static void check_refused(struct numbered *bundle, size_t keep, jc_code code, const char *part)
{
    CHECK_FAILS(jc_publish_version(root, keep, &bundle->content, &err), code, part);
    CHECK_INT(load_current(), 1);
    CHECK_INT(count_entries(""), 3);
}

static void test_refused(void)
{
    char version[VERSION_BYTES];
    JC_AUTO_FINISH(numbered) struct numbered bundle;
    begin("refused");
    REQUIRE_OK(publish_number(1, 1, version));
    numbered_init(&bundle, 2);
    check_refused(&bundle, 0, JC_E_INVALID, "at least 1 version");
    free(bundle.manifest->name);
    bundle.manifest->name = strdup("../up");
    check_refused(&bundle, 1, JC_E_INVALID, "leading dot");
    strcpy(bundle.manifest->name, "a/b");
    check_refused(&bundle, 1, JC_E_INVALID, "slash");
    strcpy(bundle.manifest->name, "a\nb");
    check_refused(&bundle, 1, JC_E_INVALID, "control character");
    char long_name[300] = "";
    memset(long_name, 'x', sizeof long_name - 1);
    free(bundle.manifest->name);
    bundle.manifest->name = strdup(long_name);
    check_refused(&bundle, 1, JC_E_INVALID, "no folder name of 1 to 244 bytes");
    strcpy(bundle.manifest->name, "test");
    bundle.head.matrix[1] = NAN;
    check_refused(&bundle, 1, JC_E_MODEL, "not a finite number");
    bundle.head.matrix[1] = 0;
    bundle.manifest->canaries = calloc(1, sizeof(*bundle.manifest->canaries));
    REQUIRE(bundle.manifest->canaries);
    bundle.manifest->n_canaries = 1;
    bundle.manifest->canaries[0].title = strdup("w1 w2");
    bundle.manifest->canaries[0].code = strdup("99-9999.99");
    check_refused(&bundle, 1, JC_E_MODEL, "canary 'w1 w2'");
    end();
}

static void publish_for_ever(int first, size_t keep)
{
    char version[VERSION_BYTES];
    for (int i = first;; i++)
        if (publish_number(i, keep, version)) {
            fprintf(stderr, "child: %s\n", err.text);
            _exit(1);
        }
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Loads for a random time; in every fourth round until a switch was seen, so that a busy machine tests as much.
 * Returns how many switches were. */
static int load_for_a_while(int round, struct jc_rng *rng)
{
    int n_switches = 0, last = load_current();
    int64_t start_us = now_us(), time_us = 2000 + (int64_t)(jc_rng_unit(rng) * 60000);
    for (int64_t us = 0; us < time_us || (round % 4 == 0 && n_switches == 0 && us < PATIENCE_US);
         us = now_us() - start_us) {
        int number = load_current();
        n_switches += number != last;
        last = number;
    }
    return n_switches;
}

/* Writers are killed at random moments, with one version kept: the hardest for a reader. */
static void test_killed(void)
{
    struct jc_rng rng = jc_rng_seeded(11);
    char version[VERSION_BYTES];
    int n_switches = 0;
    begin("killed");
    REQUIRE_OK(publish_number(0, 1, version));
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) /* a failed check must not leave it running */
            publish_for_ever(1000 * (i + 1), 1);
        n_switches += load_for_a_while(i, &rng);
        REQUIRE(kill(child, SIGKILL) == 0);
        int status;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status)); /* or it met an error */
        load_current();
    }
    CHECK(n_switches >= KILLS / 4);

    /* The next one puts all in order; what the killed ones left goes when it is old. */
    REQUIRE_OK(publish_number(1, 1, version));
    CHECK_INT(count_entries("") - count_entries(".tmp-"), 3);
    DIR *dir = opendir(root);
    REQUIRE(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".tmp-"))
            make_old(entry->d_name, 25 * 60 * 60);
    closedir(dir);
    fprintf(stderr, "%d switches seen, %zu temporary entries left by %d kills\n", n_switches, count_entries(".tmp-"),
            KILLS);
    REQUIRE_OK(publish_number(1, 1, version));
    CHECK_INT(count_entries(""), 3);
    CHECK_INT(load_current(), 1);
    end();
}

/* Trainers at the same time: each one's publication succeeds, and together they keep what one would. */
static void test_several(void)
{
    enum { WRITERS = 3, EACH = 6 };
    pid_t children[WRITERS];
    begin("several");
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        REQUIRE(children[i] >= 0);
        char version[VERSION_BYTES];
        for (int k = 0; children[i] == 0 && k < EACH; k++)
            if (publish_number(100 * i + k % 4, 3, version))
                _exit(1);
        if (children[i] == 0)
            _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        REQUIRE(waitpid(children[i], &status, 0) == children[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    load_current();
    CHECK_INT(count_entries(""), 5);
    end();
}

int main(void)
{
    REQUIRE(mkdtemp(top));
    REQUIRE_OK(jc_path_join(vocab, sizeof vocab, top, "vocab", &err));
    small_model_write_vocab(vocab);
    test_come_and_go();
    test_rolled_back();
    test_damaged();
    test_current_link();
    test_foreign();
    test_refused();
    test_several();
    test_killed();
    REQUIRE_OK(jc_path_join(root, sizeof root, top, "deep", &err));
    rmdir(root);
    jc_dir_remove(top);
    CHECK(!jc_file_exists(top));
    return check_finish();
}
