/* Media types, ranges, codings and their weights. See accept.h. */
#include "server/policy/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* Bytes of the media type or range at `text`, without parameters and trailing blanks. */
static size_t type_length(const char *text)
{
    size_t n = strcspn(text, ";,");
    while (n && strchr(BLANKS, text[n - 1]))
        n--;
    return n;
}

static bool equals(const char *text, size_t n, const char *other, size_t n_other)
{
    return n == n_other && strncasecmp(text, other, n) == 0;
}

bool jc_media_type_is(const char *header, const char *type)
{
    header += strspn(header, BLANKS);
    return !strchr(header, ',') && equals(header, type_length(header), type, strlen(type));
}

/* 3 = the type itself, 2 = "application" with a star, 1 = star/star, 0 = no match. */
static int specificity(const char *range, size_t n, const char *type, size_t n_type)
{
    size_t n_major = (size_t)(strchr(type, '/') - type) + 1;
    if (equals(range, n, type, n_type))
        return 3;
    if (n == n_major + 1 && range[n - 1] == '*' && strncasecmp(range, type, n_major) == 0)
        return 2;
    return equals(range, n, "*/*", 3) ? 1 : 0;
}

/* A qvalue ("1", "0.5", at most three decimals) in thousandths; 0, not wanted, where it is none. */
static int parse_weight(const char *text)
{
    if (text[0] != '0' && text[0] != '1')
        return 0;
    int thousandths = (text[0] - '0') * 1000;
    const char *at = text + 1;
    if (*at == '.')
        for (int unit = 100, i = 0; at++, i < 3 && *at >= '0' && *at <= '9'; i++, unit /= 10)
            thousandths += (*at - '0') * unit;
    at += strspn(at, BLANKS);
    return (!*at || *at == ',' || *at == ';') && thousandths <= 1000 ? thousandths : 0;
}

/* The weight of a range or coding, whose parameters end at `end`, in thousandths; 1000 where none is given. */
static int weight(const char *parameters, const char *end)
{
    while ((parameters = memchr(parameters, ';', (size_t)(end - parameters)))) {
        parameters += 1 + strspn(parameters + 1, BLANKS);
        if ((parameters[0] == 'q' || parameters[0] == 'Q') && parameters[1] == '=')
            return parse_weight(parameters + 2);
    }
    return 1000;
}

bool jc_accept_allows(const char *accept, const char *type)
{
    size_t n_type = type_length(type);
    int best = 0, best_weight = accept[strspn(accept, BLANKS)] ? 0 : 1000;
    while (*accept) {
        accept += strspn(accept, BLANKS ",");
        const char *end = accept + strcspn(accept, ",");
        int match = specificity(accept, type_length(accept), type, n_type);
        if (match > best) {
            best = match;
            best_weight = weight(accept, end);
        }
        accept = end;
    }
    return best_weight > 0;
}

/* The weight a list gives to `name` itself; -1 where it does not name it. */
static int weight_of(const char *header, const char *name)
{
    size_t n_name = strlen(name);
    while (*header) {
        header += strspn(header, BLANKS ",");
        const char *end = header + strcspn(header, ",");
        if (equals(header, type_length(header), name, n_name))
            return weight(header, end);
        header = end;
    }
    return -1;
}

bool jc_accept_encoding_prefers(const char *header, const char *coding)
{
    int wanted = weight_of(header, coding), any = weight_of(header, "*"), plain = weight_of(header, "identity");
    if (wanted < 0)
        wanted = any;
    return wanted > 0 && wanted >= plain;
}
