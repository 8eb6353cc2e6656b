/* Token ids of every alternate title of O*NET against the recorded hash. */
#include "tokens.h"

#define MAX_FILE_BYTES (64u << 20)

/* Puts the ids of the second column of each row but the first. Returns the number of rows. */
static long put_titles(struct jc_buf *bytes, const struct jc_tokenizer *tokenizer, char *tsv)
{
    long n_rows = 0;
    char *row = strchr(tsv, '\n');
    while (row && *++row) {
        char *title = strchr(row, '\t');
        REQUIRE(title != NULL);
        title++;
        put_ids(bytes, tokenizer, title, strcspn(title, "\t\r\n"));
        n_rows++;
        row = strchr(title, '\n');
    }
    return n_rows;
}

int main(void)
{
    struct jc_err err;
    char path[PATH_MAX], sha256[JC_SHA256_HEX];
    find_input("JOBCODE_ONET_DIR", "Alternate Titles.txt", path);
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load_recorded_tokenizer();
    json_t *summary = load_recorded("tokens.json");
    const json_t *want = json_object_get(summary, "alternate_titles");
    JC_AUTO_BUF struct jc_buf tsv = {0}, bytes = {0};
    REQUIRE_OK(jc_file_read(path, MAX_FILE_BYTES, &tsv, &err));
    CHECK_INT(put_titles(&bytes, tokenizer, tsv.data), json_integer_value(json_object_get(want, "rows")));
    jc_sha256_hex(bytes.data, bytes.n, sha256);
    CHECK_STR(sha256, json_string_value(json_object_get(want, "sha256")));
    json_decref(summary);
    return check_finish();
}
