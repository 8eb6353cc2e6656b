/* Files and folders: caps, publishing, what is left behind by a failure. */
#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "check.h"

static struct jc_err err;
static char root[] = "/tmp/jc-file-XXXXXX";

static const char *at(const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned turn;
    char *to = path[turn++ % 4];
    REQUIRE_OK(jc_path_join(to, PATH_MAX, root, name, &err));
    return to;
}

static size_t count_entries(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    REQUIRE(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void test_read_and_write(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    CHECK_FAILS(jc_file_read(at("none"), 10, &text, &err), JC_E_NOT_FOUND, "none");
    REQUIRE_OK(jc_file_write(at("a"), "hello", 5, &err));
    REQUIRE_OK(jc_file_write(at("a"), "hello, world", 12, &err));
    REQUIRE_OK(jc_file_read(at("a"), 12, &text, &err));
    CHECK_STR(text.data, "hello, world");
    jc_buf_clear(&text);
    CHECK_FAILS(jc_file_read(at("a"), 11, &text, &err), JC_E_TOO_LARGE, "11 bytes");
    CHECK_FAILS(jc_file_read(root, 11, &text, &err), JC_E_IO, "regular");
    CHECK_FAILS(jc_file_write(at("no/such/folder"), "x", 1, &err), JC_E_IO, "no/such/folder");
    CHECK_INT(count_entries(root), 1); /* no temporary file stays */
}

static void test_map_and_link(void)
{
    struct jc_map map = {0};
    REQUIRE_OK(jc_file_write(at("empty"), "", 0, &err));
    REQUIRE_OK(jc_map_file(at("empty"), &map, &err));
    CHECK_INT(map.n, 0);
    jc_map_finish(&map);
    REQUIRE_OK(jc_file_link(at("a"), at("b"), &err));
    REQUIRE_OK(jc_map_file(at("b"), &map, &err));
    CHECK(map.n == 12 && memcmp(map.data, "hello, world", 12) == 0);
    jc_map_finish(&map);
}

static void publish(const char *content)
{
    char temp[PATH_MAX], file[PATH_MAX];
    REQUIRE_OK(jc_dir_create_temp(at("deep/er/model"), temp, sizeof temp, &err));
    REQUIRE_OK(jc_path_join(file, sizeof file, temp, "x", &err));
    REQUIRE_OK(jc_file_write(file, content, strlen(content), &err));
    REQUIRE_OK(jc_dir_publish(temp, at("deep/er/model"), &err));
}

static void test_publish(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    publish("one");
    publish("two"); /* replaces a folder that is not empty */
    REQUIRE_OK(jc_file_read(at("deep/er/model/x"), 10, &text, &err));
    CHECK_STR(text.data, "two");
    CHECK_INT(count_entries(at("deep/er")), 1);

    struct stat st;
    REQUIRE(stat(at("deep/er/model"), &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0755);
    CHECK_FAILS(jc_dir_publish(at("missing"), at("deep/er/model"), &err), JC_E_IO, "missing");
}

static void test_link(void)
{
    char target[PATH_MAX] = "";
    JC_AUTO_BUF struct jc_buf text = {0};
    REQUIRE_OK(jc_link_publish(at("link"), "gone", &err));
    REQUIRE_OK(jc_link_publish(at("link"), "a", &err)); /* over a link to nothing */
    REQUIRE(readlink(at("link"), target, sizeof target - 1) == 1);
    CHECK_STR(target, "a");
    REQUIRE_OK(jc_file_read(at("link"), 100, &text, &err));
    CHECK_STR(text.data, "hello, world");
    REQUIRE(unlink(at("link")) == 0);
    CHECK_FAILS(jc_link_publish(at("a"), "b", &err), JC_E_INVALID, "a' is not a symbolic link");
    CHECK_FAILS(jc_link_publish(root, "b", &err), JC_E_INVALID, "not a symbolic link");
    CHECK_FAILS(jc_link_publish(at("no/link"), "a", &err), JC_E_IO, "no/link");
    CHECK_INT(count_entries(root), 3);
}

static void test_create_parent(void)
{
    REQUIRE_OK(jc_dir_create_parent(at("deep/er/file"), &err));
    REQUIRE_OK(jc_dir_create_parent(at("deep/er/file"), &err));
    CHECK(jc_file_exists(at("deep/er")) && !jc_file_exists(at("deep/er/file")));
    CHECK_FAILS(jc_dir_create_parent(at("a/b/c"), &err), JC_E_IO, "a/b");
    REQUIRE_OK(jc_dir_create_parent("file", &err));
}

int main(void)
{
    REQUIRE(mkdtemp(root) != NULL);
    test_read_and_write();
    test_map_and_link();
    test_link();
    test_create_parent();
    test_publish();
    jc_dir_remove(at("deep/er/model"));
    rmdir(at("deep/er"));
    rmdir(at("deep"));
    jc_dir_remove(root);
    CHECK(!jc_file_exists(root));
    return check_finish();
}
