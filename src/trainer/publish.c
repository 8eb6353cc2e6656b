/* The step `publish`. */
#include "trainer/publish.h"

#include <limits.h>

#include "base/file.h"
#include "model/classifier.h"

static jc_code write_tested(const char *temp, const struct jc_bundle_content *content, struct jc_err *err)
{
    jc_code code = jc_bundle_write(temp, content, err);
    if (code)
        return code;
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    code = jc_classifier_load(temp, &classifier, err);
    return code ? jc_wrap(err, "the new bundle does not pass its own test") : JC_OK;
}

jc_code jc_publish_bundle(const char *folder, const struct jc_bundle_content *content, struct jc_err *err)
{
    if (!content->vocab_path)
        return jc_bundle_write(folder, content, err);
    char temp[PATH_MAX];
    jc_code code = jc_dir_create_temp(folder, temp, sizeof(temp), err);
    if (code)
        return code;
    if ((code = write_tested(temp, content, err)) || (code = jc_dir_publish(temp, folder, err)))
        jc_dir_remove(temp);
    return code;
}
