/* ISO 8601 dates of postings. */
#include <string.h>

#include "data/postings.h"

/* Takes exactly `n_digits` digits from *p. */
static bool take_number(const char **p, const char *end, int n_digits, int *ret_value)
{
    *ret_value = 0;
    for (int i = 0; i < n_digits; i++, (*p)++) {
        if (*p == end || **p < '0' || **p > '9')
            return false;
        *ret_value = 10 * *ret_value + (**p - '0');
    }
    return true;
}

static bool take(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return false;
    (*p)++;
    return true;
}

static int count_days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01: years begin in March, so that the leap day is the last, and 400 of them are an era of 146097
 * days (H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil; here for years above 0). */
static int64_t count_days(int year, int month, int day)
{
    int march_year = year - (month <= 2);
    int era = march_year / 400, year_of_era = march_year % 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static bool take_date(const char **p, const char *end, int64_t *ret_days)
{
    int year, month, day;
    if (!take_number(p, end, 4, &year) || !take(p, end, '-') || !take_number(p, end, 2, &month) || !take(p, end, '-') ||
        !take_number(p, end, 2, &day))
        return false;
    if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 || day > count_days_of_month(year, month))
        return false;
    *ret_days = count_days(year, month, day);
    return true;
}

/* "09:30", "09:30:15", "09:30:15.25": the fraction of a second is dropped. */
static bool take_time(const char **p, const char *end, int *ret_s)
{
    int hour, minute, second = 0;
    if (!take_number(p, end, 2, &hour) || !take(p, end, ':') || !take_number(p, end, 2, &minute))
        return false;
    if (take(p, end, ':')) {
        if (!take_number(p, end, 2, &second))
            return false;
        if (take(p, end, '.')) {
            const char *start = *p;
            while (*p < end && **p >= '0' && **p <= '9')
                (*p)++;
            if (*p == start)
                return false;
        }
    }
    *ret_s = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60;
}

/* "Z", "+02:00", "+0200", "+02", or nothing. */
static bool take_zone(const char **p, const char *end, int *ret_s)
{
    int hour, minute = 0;
    *ret_s = 0;
    if (*p == end || take(p, end, 'Z'))
        return true;
    int sign = take(p, end, '-') ? -1 : 1;
    if (sign > 0 && !take(p, end, '+'))
        return false;
    if (!take_number(p, end, 2, &hour))
        return false;
    bool colon = take(p, end, ':');
    if ((colon || *p < end) && !take_number(p, end, 2, &minute))
        return false;
    *ret_s = sign * (hour * 3600 + minute * 60);
    return hour < 24 && minute < 60;
}

bool jc_posting_date_parse(const char *text, size_t n, int64_t *ret_s)
{
    const char *p = text, *end = text + n;
    int64_t days;
    int time_s = 0, zone_s = 0;
    while (p < end && *p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    if (!take_date(&p, end, &days))
        return false;
    if (p < end &&
        ((!take(&p, end, 'T') && !take(&p, end, ' ')) || !take_time(&p, end, &time_s) || !take_zone(&p, end, &zone_s)))
        return false;
    if (p != end)
        return false;
    *ret_s = days * 86400 + time_s - zone_s;
    return true;
}
