/* Reading O*NET-SOC codes. */
#include "data/soc_code.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool jc_soc_code_parse(const char *text, size_t n, char ret_code[JC_SOC_CODE_SIZE])
{
    static const char pattern[] = "dd-dddd.dd";
    while (n && is_blank(*text)) {
        text++;
        n--;
    }
    while (n && is_blank(text[n - 1]))
        n--;
    if (n != strlen("dd-dddd") && n != strlen(pattern))
        return false;
    for (size_t i = 0; i < n; i++)
        if (pattern[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
            return false;
    memcpy(ret_code, "00-0000.00", JC_SOC_CODE_SIZE);
    memcpy(ret_code, text, n);
    return true;
}
