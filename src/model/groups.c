/* Groups as runs of members: each level lists the categories group by group. See groups.h. */
#include "model/groups.h"

#include <string.h>

#include "model/soc_major.h"
#include "text/ascii.h"

#define CODE_SIZE 8 /* "29-0000" and its NUL */

struct level {
    size_t n_groups;
    struct jc_group *groups;  /* [n_groups] */
    uint32_t *starts;         /* [n_groups + 1]: group g has members[starts[g]] .. members[starts[g + 1] - 1] */
    uint32_t *members;        /* [n_categories]; within a group ascending */
    uint32_t *group_of;       /* [n_categories] */
    char (*codes)[CODE_SIZE]; /* [n_categories]: the code of the category's SOC group; "" of one that has none */
};

struct jc_groups {
    struct level levels[JC_LEVEL_COUNT]; /* that of NONE is empty */
};

static const char *const level_names[JC_LEVEL_COUNT] = {
    [JC_LEVEL_NONE] = "",       [JC_LEVEL_MAJOR] = "major",       [JC_LEVEL_MINOR] = "minor",
    [JC_LEVEL_BROAD] = "broad", [JC_LEVEL_DETAILED] = "detailed",
};

const char *jc_level_name(enum jc_level level)
{
    return level_names[level];
}

bool jc_level_parse(const char *name, size_t n, enum jc_level *ret_level)
{
    for (enum jc_level level = JC_LEVEL_MAJOR; level < JC_LEVEL_COUNT; level++) {
        if (strlen(level_names[level]) != n || memcmp(level_names[level], name, n) != 0)
            continue;
        *ret_level = level;
        return true;
    }
    return false;
}

static bool is_onet_soc(const char *code)
{
    static const char pattern[] = "dd-dddd.dd";
    for (size_t i = 0; i < sizeof(pattern); i++)
        if (pattern[i] == 'd' ? !jc_ascii_is_digit(code[i]) : code[i] != pattern[i])
            return false;
    return true;
}

/* How many characters of a code are those of its minor group: three of these are one digit longer than the others. */
static size_t count_minor(const char *code)
{
    static const char *const longer[] = {"15-12", "31-11", "51-51"};
    for (size_t i = 0; i < JC_COUNT(longer); i++)
        if (strncmp(code, longer[i], 5) == 0)
            return 5;
    return 4;
}

/* "29-1141.03" -> "29-1140", at the broad level. */
static void write_group_code(enum jc_level level, const char *code, char ret_code[CODE_SIZE])
{
    size_t n = level == JC_LEVEL_MAJOR   ? 2
               : level == JC_LEVEL_MINOR ? count_minor(code)
               : level == JC_LEVEL_BROAD ? 6
                                         : 7;
    memcpy(ret_code, "00-0000", CODE_SIZE);
    memcpy(ret_code, code, n);
}

/* What one of a group's categories says about the group's title; NULL: nothing. */
static const char *find_title(enum jc_level level, const struct jc_category *category, bool is_own)
{
    if (is_own)
        return category->title;
    if (level == JC_LEVEL_MAJOR) {
        const char *name = jc_soc_major_name((char[]){category->code[0], category->code[1], '\0'});
        return *name ? name : NULL;
    }
    return level == JC_LEVEL_DETAILED && strcmp(category->code + 7, ".00") == 0 ? category->title : NULL;
}

/* A category on its way into its place in a level. */
struct entry {
    const char *group_code;
    bool is_own; /* a group of its own */
    uint32_t category;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->group_code, y->group_code);
    if (order == 0)
        order = x->is_own - y->is_own;
    return order ? order : (x->category > y->category) - (x->category < y->category);
}

static jc_code allocate(struct level *level, size_t n_categories, struct entry **ret_entries, struct jc_err *err)
{
    level->groups = calloc(n_categories, sizeof(*level->groups));
    level->starts = calloc(n_categories + 1, sizeof(*level->starts));
    level->members = calloc(n_categories, sizeof(*level->members));
    level->group_of = calloc(n_categories, sizeof(*level->group_of));
    level->codes = calloc(n_categories, sizeof(*level->codes));
    struct entry *entries = calloc(n_categories, sizeof(*entries));
    if (!level->groups || !level->starts || !level->members || !level->group_of || !level->codes || !entries) {
        free(entries);
        return jc_fail(err, JC_E_NOMEM, "no memory for the groups of %zu categories", n_categories);
    }
    *ret_entries = entries;
    return JC_OK;
}

static jc_code fill_level(struct level *level, enum jc_level which, const struct jc_category *categories,
                          size_t n_categories, struct jc_err *err)
{
    JC_AUTO_FREE struct entry *entries = NULL;
    jc_code code = allocate(level, n_categories, &entries, err);
    if (code)
        return code;
    for (size_t c = 0; c < n_categories; c++) {
        bool is_own = !is_onet_soc(categories[c].code);
        if (!is_own)
            write_group_code(which, categories[c].code, level->codes[c]);
        entries[c] = (struct entry){is_own ? categories[c].code : level->codes[c], is_own, (uint32_t)c};
    }
    qsort(entries, n_categories, sizeof(*entries), compare_entries);

    for (size_t i = 0; i < n_categories; i++) {
        const struct entry *entry = &entries[i];
        if (i == 0 || entry->is_own || strcmp(entry[-1].group_code, entry->group_code) != 0) {
            level->starts[level->n_groups] = (uint32_t)i;
            level->groups[level->n_groups++].code = entry->group_code;
        }
        struct jc_group *group = &level->groups[level->n_groups - 1];
        if (!group->title)
            group->title = find_title(which, &categories[entry->category], entry->is_own);
        level->members[i] = entry->category;
        level->group_of[entry->category] = (uint32_t)(level->n_groups - 1);
    }
    level->starts[level->n_groups] = (uint32_t)n_categories;
    return JC_OK;
}

jc_code jc_groups_create(const struct jc_category *categories, size_t n_categories, struct jc_groups **ret_groups,
                         struct jc_err *err)
{
    JC_AUTO(jc_groups) struct jc_groups *groups = calloc(1, sizeof(*groups));
    if (!groups)
        return jc_fail(err, JC_E_NOMEM, "no memory for the groups");
    for (enum jc_level level = JC_LEVEL_MAJOR; level < JC_LEVEL_COUNT; level++) {
        jc_code code = fill_level(&groups->levels[level], level, categories, n_categories, err);
        if (code)
            return code;
    }
    *ret_groups = TAKE(groups);
    return JC_OK;
}

void jc_groups_destroy(struct jc_groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < JC_LEVEL_COUNT; i++) {
        struct level *level = &groups->levels[i];
        free(level->groups);
        free(level->starts);
        free(level->members);
        free(level->group_of);
        free(level->codes);
    }
    free(groups);
}

size_t jc_groups_count(const struct jc_groups *groups, enum jc_level level)
{
    return groups->levels[level].n_groups;
}

const struct jc_group *jc_groups_of(const struct jc_groups *groups, enum jc_level level, uint32_t category)
{
    const struct level *from = &groups->levels[level];
    return &from->groups[from->group_of[category]];
}

void jc_groups_sum(const struct jc_groups *groups, enum jc_level level, const float *probabilities, float *ret_sums,
                   uint32_t *ret_bests)
{
    const struct level *from = &groups->levels[level];
    for (size_t g = 0; g < from->n_groups; g++) {
        uint32_t best = from->members[from->starts[g]];
        double sum = 0;
        for (uint32_t i = from->starts[g]; i < from->starts[g + 1]; i++) {
            uint32_t category = from->members[i];
            sum += (double)probabilities[category];
            if (probabilities[category] > probabilities[best])
                best = category;
        }
        ret_sums[g] = (float)sum;
        ret_bests[g] = best;
    }
}
