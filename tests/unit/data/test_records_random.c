/*
 * Random tables, written by naive writers of this file in every format and compression, are read back field by field,
 * with the lines where their rows begin.
 */
#include "base/rng.h"
#include "data/records.h"
#include "data_files.h"

enum { N_TABLES = 300, MAX_COLUMNS = 6, MAX_ROWS = 40 };

struct table {
    size_t n_columns, n_rows;
    char *cells[MAX_ROWS + 1][MAX_COLUMNS]; /* row 0: the header */
};

static struct jc_rng rng;

static size_t pick(size_t n)
{
    return (size_t)(jc_rng_next(&rng) % n);
}

/* Text of up to a few pieces, rarely of very many (longer than what is read at once). */
static char *make_cell(bool one_line)
{
    static const char *const pieces[] = {
        "a",  "B c", ",",    ";", "\"", "\"\"", "\n",   "\r\n", "\xc3\xa9", "\xf0\x9f\x98\x80",
        "\\", "/",   "<br>", "'", " ",  "0",    "null", "\t",   "\x01",     "\xe2\x82\xac"};
    JC_AUTO_BUF struct jc_buf cell = {0};
    size_t n = pick(200) ? pick(8) : pick(200000);
    jc_buf_puts(&cell, "");
    for (size_t i = 0; i < n; i++) {
        const char *piece = pieces[pick(JC_COUNT(pieces))];
        if (!one_line || !strpbrk(piece, "\t\r\n"))
            jc_buf_puts(&cell, piece);
    }
    char *text = cell.n ? jc_buf_take(&cell) : strdup("");
    REQUIRE(text);
    return text;
}

static void make_table(struct table *table, bool one_line)
{
    table->n_columns = 2 + pick(MAX_COLUMNS - 1);
    table->n_rows = pick(MAX_ROWS + 1);
    for (size_t c = 0; c < table->n_columns; c++)
        REQUIRE(asprintf(&table->cells[0][c], "column %zu", c) > 0);
    for (size_t r = 1; r <= table->n_rows; r++)
        for (size_t c = 0; c < table->n_columns; c++)
            table->cells[r][c] = make_cell(one_line);
}

static void free_table(struct table *table)
{
    for (size_t r = 0; r <= table->n_rows; r++)
        for (size_t c = 0; c < table->n_columns; c++)
            free(table->cells[r][c]);
}

static void put_csv_cell(struct jc_buf *buf, const char *cell)
{
    if (!strpbrk(cell, ",;\t\r\n\"") && pick(2)) {
        jc_buf_puts(buf, cell);
        return;
    }
    jc_buf_putc(buf, '"');
    for (; *cell; cell++) {
        if (*cell == '"')
            jc_buf_putc(buf, '"');
        jc_buf_putc(buf, *cell);
    }
    jc_buf_putc(buf, '"');
}

static void put_json_cell(struct jc_buf *buf, const char *cell)
{
    jc_buf_putc(buf, '"');
    for (; *cell; cell++) {
        if (*cell == '"' || *cell == '\\' || (unsigned char)*cell < ' ' || (*cell > 0 && !pick(20)))
            jc_buf_printf(buf, "\\u%04x", (unsigned char)*cell);
        else
            jc_buf_putc(buf, *cell);
    }
    jc_buf_putc(buf, '"');
}

static void put_row(struct jc_buf *buf, const struct table *table, size_t r, enum jc_records_format format,
                    char separator)
{
    for (size_t c = 0; c < table->n_columns; c++) {
        if (format == JC_RECORDS_JSONL) {
            jc_buf_puts(buf, c ? " , " : "{ ");
            put_json_cell(buf, table->cells[0][c]);
            jc_buf_putc(buf, ':');
            put_json_cell(buf, table->cells[r][c]);
            continue;
        }
        if (c)
            jc_buf_putc(buf, separator);
        if (format == JC_RECORDS_CSV)
            put_csv_cell(buf, table->cells[r][c]);
        else
            jc_buf_puts(buf, table->cells[r][c]);
    }
    if (format == JC_RECORDS_JSONL)
        jc_buf_putc(buf, '}');
}

/* The table as a file's text; `lines` is where each row begins. */
static void put_table(struct jc_buf *buf, const struct table *table, enum jc_records_format format, size_t *lines)
{
    char separator = format == JC_RECORDS_TSV ? '\t' : ",;\t"[pick(3)];
    size_t line = 1, n_counted = 0;
    if (pick(2))
        jc_buf_puts(buf, "\xef\xbb\xbf");
    for (size_t r = format == JC_RECORDS_JSONL; r <= table->n_rows; r++) {
        for (; n_counted < buf->n; n_counted++)
            line += buf->data[n_counted] == '\n';
        lines[r] = line;
        put_row(buf, table, r, format, separator);
        if (r < table->n_rows || pick(2))
            jc_buf_puts(buf, pick(2) ? "\n" : pick(8) ? "\r\n" : "\n\r\n\n");
    }
}

/* The text as it is, or as gzip of one to three members at any level. */
static const char *store(const char *text, size_t n)
{
    if (!pick(3))
        return write_file("table", text, n);
    JC_AUTO_BUF struct jc_buf gzip = {0};
    for (size_t n_members = 1 + pick(3); n_members; n_members--) {
        size_t n_part = n_members == 1 ? n : pick(n + 1);
        put_gzip(&gzip, text, n_part, (int)pick(10));
        text += n_part;
        n -= n_part;
    }
    return write_file("table", gzip.data, gzip.n);
}

static void check_table(const struct table *table, enum jc_records_format format)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    size_t lines[MAX_ROWS + 1];
    jc_buf_puts(&text, "");
    put_table(&text, table, format, lines);
    REQUIRE_OK(jc_records_open(store(text.n ? text.data : "", text.n), format, &records, &err));
    for (size_t r = 1;; r++) {
        struct jc_record record;
        bool more;
        REQUIRE_OK(jc_records_next(records, &more, &record, &err));
        REQUIRE(more == (r <= table->n_rows));
        if (!more)
            return;
        CHECK_STR(record.bad ? record.bad : "good", "good");
        CHECK_INT(record.line, lines[r]);
        REQUIRE(record.n_fields == table->n_columns);
        for (size_t c = 0; c < table->n_columns; c++)
            REQUIRE(strcmp(record.fields[c].text, table->cells[r][c]) == 0 &&
                    record.fields[c].n == strlen(table->cells[r][c]));
    }
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    rng = jc_rng_seeded(4);
    for (int i = 0; i < N_TABLES; i++) {
        enum jc_records_format format = (enum jc_records_format)(JC_RECORDS_CSV + i % 3);
        struct table table = {0};
        make_table(&table, format == JC_RECORDS_TSV);
        check_table(&table, format);
        free_table(&table);
    }
    jc_dir_remove(folder);
    return check_finish();
}
