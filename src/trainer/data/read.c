/* The step `read`: which sources there are. */
#include "trainer/data/read.h"

#include <string.h>

#include "data/tsv.h"

/* The release's folder: as configured; else the environment's, which is asked only where nothing else is named, so that
 * a run on postings is the same on every machine. NULL: none. */
static const char *find_onet(const struct jc_train_config *config)
{
    if (*config->source.onet_dir)
        return config->source.onet_dir;
    const char *folder = config->postings.n ? NULL : getenv("JOBCODE_ONET_DIR");
    return folder && *folder ? folder : NULL;
}

static jc_code read_categories(const char *path, struct jc_dataset *dataset, struct jc_err *err)
{
    static const char *const columns[] = {"code", "title"};
    JC_AUTO(jc_tsv) struct jc_tsv *file = NULL;
    jc_code code = jc_tsv_open(path, columns, JC_COUNT(columns), &file, err);
    bool more = true;
    while (!code && more) {
        const char *fields[JC_COUNT(columns)];
        uint32_t category;
        if ((code = jc_tsv_next(file, &more, fields, err)) || !more)
            break;
        code = jc_dataset_add_category(dataset, fields[0], fields[1], NULL, &category, err);
        if (code)
            jc_wrap(err, "%s:%zu", path, jc_tsv_line(file));
    }
    return code;
}

jc_code jc_read(const struct jc_train_config *config, struct jc_dataset *dataset, struct jc_read_report *ret_report,
                struct jc_err *err)
{
    const char *folder = find_onet(config);
    struct jc_read_report report = {0};
    jc_code code = JC_OK;
    if (!folder && !config->postings.n)
        return jc_fail(err, JC_E_NOT_FOUND,
                       "no training data: name `postings`, or set source.onet_dir or JOBCODE_ONET_DIR to the folder of "
                       "an O*NET text release (scripts/fetch-onet.sh, or by hand from the O*NET Center's database "
                       "page, https://www.onetcenter.org/database.html)");
    if (folder)
        code = jc_read_onet(config, folder, dataset, err);
    if (!code && *config->source.categories)
        code = read_categories(config->source.categories, dataset, err);
    if (!code && config->postings.n)
        code = jc_read_postings(config, dataset, &report, err);
    if (code)
        return code;
    if (dataset->n_categories == 0 || dataset->n_examples == 0)
        return jc_fail(err, JC_E_INVALID, "the sources have no row that trains");
    *ret_report = report;
    return JC_OK;
}
