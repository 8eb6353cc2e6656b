/*
 * A request's head cut up in place as libmicrohttpd 0.9.75 does it (connection.c: get_next_header_line,
 * parse_initial_message_line, process_header_line, process_broken_line), leniencies included, and shown to the header
 * lint as the adapter shows it. For tests of the lint without a server.
 */
#ifndef JC_TESTS_MHD_HEAD_H
#define JC_TESTS_MHD_HEAD_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/wire/header_lint.h"

#define MHD_HEAD_FIELDS 64

struct mhd_head_field {
    char *name, *value;
};

struct mhd_head {
    char *at, *end; /* of what is not read yet */
    char *method, *target, *version;
    size_t n_head;
    const char *target_reason;
    struct jc_target parsed;
    struct mhd_head_field fields[MHD_HEAD_FIELDS];
    size_t n_fields;
    char *folded[MHD_HEAD_FIELDS]; /* names that folding moved */
    size_t n_folded;
};

static inline void mhd_head_finish(struct mhd_head *head)
{
    for (size_t i = 0; i < head->n_folded; i++)
        free(head->folded[i]);
}

/* NULL where no line is whole. */
static inline char *mhd_head_line(struct mhd_head *head, size_t *ret_n)
{
    char *line = head->at;
    for (char *c = line; c < head->end; c++) {
        bool crlf = *c == '\r' && c + 1 < head->end && c[1] == '\n';
        if (!crlf && *c != '\n')
            continue;
        *ret_n = (size_t)(c - line);
        c[0] = '\0';
        if (crlf)
            c[1] = '\0';
        head->at = c + (crlf ? 2 : 1);
        return line;
    }
    return NULL;
}

static inline bool mhd_head_request_line(struct mhd_head *head, char *line, size_t n)
{
    char *target = memchr(line, ' ', n), *last = line + n;
    if (!target || target == line)
        return false;
    *target++ = '\0';
    while (target < last && *target == ' ')
        target++;
    if (target == last)
        return false;
    char *blank = last - 1;
    while (blank > target && *blank == ' ')
        blank--;
    while (blank > target && *blank != ' ')
        blank--;
    if (blank == target)
        return false;
    *blank = '\0';
    head->method = line;
    head->target = target;
    head->version = blank + 1;
    const char *v = head->version;
    if (last - v != 8 || memcmp(v, "HTTP/1.", 7) != 0 || v[7] < '0' || v[7] > '9')
        return false;
    head->target_reason = jc_target_parse(target, strlen(target), &head->parsed);
    char *query = strchr(target, '?'); /* decoded in place from here on: what was there is gone */
    if (query)
        memset(query, 'q', strlen(query));
    return true;
}

static inline bool mhd_head_cut_field(char *line, struct mhd_head_field *field)
{
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon++ = '\0';
    while (*colon == ' ' || *colon == '\t')
        colon++;
    *field = (struct mhd_head_field){.name = line, .value = colon};
    return true;
}

/* A continuation line: appended to the field's name, which moves. */
static inline bool mhd_head_fold(struct mhd_head *head, struct mhd_head_field *field, const char *line)
{
    while (*line == ' ' || *line == '\t')
        line++;
    char *moved = head->n_folded < MHD_HEAD_FIELDS ? calloc(1, strlen(field->name) + strlen(line) + 1) : NULL;
    if (!moved)
        return false;
    strcpy(moved, field->name);
    strcat(moved, line);
    head->folded[head->n_folded++] = moved;
    field->name = moved;
    return true;
}

/* Cuts up `bytes`. False where libmicrohttpd refuses, or waits for more. Finish it either way. */
static inline bool mhd_head_parse(char *bytes, size_t n, struct mhd_head *head)
{
    size_t n_line;
    *head = (struct mhd_head){.at = bytes, .end = bytes + n};
    char *line = mhd_head_line(head, &n_line);
    while (line && !line[0])
        line = mhd_head_line(head, &n_line);
    if (!line || !mhd_head_request_line(head, line, n_line))
        return false;
    while ((line = mhd_head_line(head, &n_line)) && line[0]) {
        if (head->n_fields && (line[0] == ' ' || line[0] == '\t')) {
            if (!mhd_head_fold(head, &head->fields[head->n_fields - 1], line))
                return false;
            continue;
        }
        if (head->n_fields == MHD_HEAD_FIELDS || !mhd_head_cut_field(line, &head->fields[head->n_fields++]))
            return false;
    }
    head->n_head = (size_t)(head->at - head->method);
    return line != NULL;
}

/* What the lint says of it: NULL, or the reason. */
static inline const char *mhd_head_lint(const struct mhd_head *head)
{
    if (head->target_reason)
        return head->target_reason;
    const struct jc_request_head shown = {.bytes = head->method,
                                          .n_bytes = head->n_head,
                                          .target = head->target,
                                          .parsed = &head->parsed,
                                          .version = head->version};
    struct jc_header_lint lint;
    jc_header_lint_begin(&lint, &shown);
    for (size_t i = 0; i < head->n_fields; i++)
        jc_header_lint_field(&lint, head->fields[i].name, strlen(head->fields[i].name), head->fields[i].value,
                             strlen(head->fields[i].value));
    return jc_header_lint_end(&lint);
}

#endif
