/* The table of the trainer's configuration keys. */
#include "trainer/config.h"

#define AT(member) offsetof(struct jc_train_config, member)

static const struct jc_conf_key keys[] = {
    {"name", JC_CONF_STRING, AT(name), "model", 0, 0, NULL,
     "the model's name, the first part of its version; letters, digits, '.', '-'"},
    {"taxonomy", JC_CONF_STRING, AT(taxonomy), "O*NET-SOC 2019", 0, 0, NULL,
     "the classification the codes belong to; every answer of the server repeats it"},
    {"data_version", JC_CONF_STRING, AT(data_version), "unversioned", 0, 0, NULL, "the release of the training data"},
    {"attribution", JC_CONF_STRING, AT(attribution), "", 0, 0, NULL,
     "the notice the data's licence asks for; /v1/model shows it"},
    {"source.onet_dir", JC_CONF_STRING, AT(source.onet_dir), "", 0, 0, NULL,
     "folder of an O*NET text release; empty: the environment's JOBCODE_ONET_DIR"},
    {"source.names", JC_CONF_BOOL, AT(source.names), "true", 0, 0, NULL, "every occupation's name is a training title"},
    {"source.descriptions", JC_CONF_BOOL, AT(source.descriptions), "false", 0, 0, NULL,
     "every occupation's description is a training title"},
    {"source.alternate_titles", JC_CONF_BOOL, AT(source.alternate_titles), "true", 0, 0, NULL,
     "the rows of Alternate Titles.txt are training titles"},
    {"source.exclude_sources", JC_CONF_LIST, AT(source.exclude_sources), "", 0, 0, NULL,
     "alternate titles with one of these source codes are left out (10: employers' postings)"},
    {"split", JC_CONF_CHOICE, AT(split), "none", 0, 0, "none|postings",
     "the rows that evaluate: 'postings' holds out the titles known from employers' postings alone"},
    {"method", JC_CONF_STRING, AT(method), "average", 0, 0, NULL, "what `fit` publishes: direct, average, softmax"},
    {"methods", JC_CONF_LIST, AT(methods), "direct,average,softmax", 0, 0, NULL, "what `evaluate` compares"},
    {"direct.text", JC_CONF_CHOICE, AT(direct_text), "name", 0, 0, "name|name_description",
     "what the method direct encodes for a category"},
    {"softmax.epochs", JC_CONF_COUNT, AT(softmax.epochs), "8", 1, 1000, NULL, "passes over the training titles"},
    {"softmax.batch", JC_CONF_COUNT, AT(softmax.batch), "256", 1, 65536, NULL, "titles a step"},
    {"softmax.learning_rate", JC_CONF_NUMBER, AT(softmax.learning_rate), "0.003", 1e-7, 1, NULL,
     "Adam's rate at the start; it falls to 0 in a line"},
    {"softmax.prior", JC_CONF_NUMBER, AT(softmax.prior), "0.5", 0, 1, NULL,
     "0: a category is as likely as its share of the training rows; 1: all are equally likely"},
    {"softmax.smoothing", JC_CONF_NUMBER, AT(softmax.smoothing), "0.1", 0, 0.9, NULL,
     "share of a title's target that all categories get"},
    {"softmax.dropout", JC_CONF_NUMBER, AT(softmax.dropout), "0.3", 0, 0.9, NULL,
     "share of a vector's values that a step leaves out"},
    {"softmax.word_dropout", JC_CONF_NUMBER, AT(softmax.word_dropout), "0.3", 0, 0.9, NULL,
     "share of a title's words that a step leaves out"},
    {"softmax.seed", JC_CONF_COUNT, AT(softmax.seed), "1", 0, 1e15, NULL,
     "the same seed, data and threads give the same model"},
    {"calibration.validation", JC_CONF_NUMBER, AT(validation), "0.1", 0, 0.5, NULL,
     "share of the training titles held out to calibrate `confidence` with; 0: no calibration"},
    {"calibration.accept_precision", JC_CONF_NUMBER, AT(accept_precision), "0.8", 0, 1, NULL,
     "answers are marked `accept` above the confidence from which so many of them were right in validation"},
    {"encoder.kind", JC_CONF_STRING, AT(encoder.kind), "bert-torchscript", 0, 0, NULL,
     "bert-torchscript: a file of import-encoder; fake: no weights, for tests"},
    {"encoder.path", JC_CONF_STRING, AT(encoder.path), ".cache/encoder.pt", 0, 0, NULL, "the encoder file"},
    {"encoder.vocab", JC_CONF_STRING, AT(encoder.vocab), ".cache/weights/vocab.txt", 0, 0, NULL,
     "the vocabulary that belongs to it"},
    {"encoder.name", JC_CONF_STRING, AT(encoder.name), "all-MiniLM-L6-v2", 0, 0, NULL,
     "what the manifest calls the encoder"},
    {"encoder.max_tokens", JC_CONF_COUNT, AT(encoder.max_tokens), "0", 0, 512, NULL,
     "longer texts are cut to so many tokens, in serving too; 0: as many as the encoder takes"},
    {"threads", JC_CONF_COUNT, AT(threads), "0", 0, 1024, NULL, "encoding threads; 0: one a core"},
    {"output", JC_CONF_STRING, AT(output), "build/model", 0, 0, NULL, "the folder that `fit` publishes"},
    {"report", JC_CONF_STRING, AT(report), "", 0, 0, NULL,
     "a folder for report.json and report.html of what was measured; empty: none"},
    {"portable", JC_CONF_BOOL, AT(portable), "false", 0, 0, NULL,
     "leave encoder and vocabulary out: a few MiB to keep in a repository, `assemble` completes it"},
    {"canaries", JC_CONF_COUNT, AT(canaries), "24", 0, 1000, NULL,
     "so many training titles, spread over the groups, are asked at every load and must answer as they do now"},
};

jc_code jc_train_config_load(const char *path, const char *const *sets, size_t n_sets,
                             struct jc_train_config *ret_config, struct jc_conf **ret_conf, struct jc_err *err)
{
    return jc_conf_load(keys, JC_COUNT(keys), path, sets, n_sets, ret_config, ret_conf, err);
}

void jc_train_config_print_help(FILE *out)
{
    jc_conf_print_help(keys, JC_COUNT(keys), out);
}
