/* The table of the trainer's configuration keys. */
#include "trainer/config.h"

#include "cuda/buckets.h"
#include "model/encoder.h"

#define AT(member) offsetof(struct jc_train_config, member)
#define IN_POSTINGS(member) offsetof(struct jc_postings_config, member)

static const struct jc_conf_key postings_keys[] = {
    {"path", JC_CONF_STRING, IN_POSTINGS(path), NULL, 0, 0, NULL, "the file; gzip is told by its bytes"},
    {"format", JC_CONF_CHOICE, IN_POSTINGS(format), "auto", 0, 0, "auto|csv|tsv|jsonl",
     "auto: by the file's name, .csv, .tsv, .jsonl, .ndjson, each with or without .gz"},
    {"weight", JC_CONF_NUMBER, IN_POSTINGS(weight), "1", 1e-6, 1e6, NULL, "how much a row counts in training"},
    {"columns.id", JC_CONF_STRING, IN_POSTINGS(columns.id), "ID", 0, 0, NULL, "the column of the posting's name"},
    {"columns.posted", JC_CONF_STRING, IN_POSTINGS(columns.posted), "POSTED", 0, 0, NULL,
     "the column of its date, ISO 8601; empty: none"},
    {"columns.title", JC_CONF_STRING, IN_POSTINGS(columns.title), "TITLE_RAW", 0, 0, NULL, "the column of its title"},
    {"columns.body", JC_CONF_STRING, IN_POSTINGS(columns.body), "BODY", 0, 0, NULL,
     "the column of its text; empty: none"},
    {"columns.name", JC_CONF_STRING, IN_POSTINGS(columns.name), "ONET_NAME", 0, 0, NULL,
     "the column of its category's name; empty: none"},
    {"columns.code", JC_CONF_STRING, IN_POSTINGS(columns.code), "ONET", 0, 0, NULL, "the column of its O*NET-SOC code"},
    {"columns.split", JC_CONF_STRING, IN_POSTINGS(columns.split), "", 0, 0, NULL,
     "the column that says train, validation or test, for split.kind: column; empty: none"},
};

static const struct jc_conf_table postings_table = {postings_keys, JC_COUNT(postings_keys),
                                                    sizeof(struct jc_postings_config)};

static jc_code check_buckets(const char *const *items, size_t n, struct jc_err *err)
{
    struct jc_cuda_buckets buckets;
    return jc_cuda_buckets_parse(items, n, &buckets, err);
}
static const struct jc_conf_check buckets_check = {check_buckets};

static const struct jc_conf_key keys[] = {
    {"name", JC_CONF_STRING, AT(name), "model", 0, 0, NULL,
     "the model's name, the first part of its version; letters, digits, '.', '-'"},
    {"taxonomy", JC_CONF_STRING, AT(taxonomy), "O*NET-SOC 2019", 0, 0, NULL,
     "the classification the codes belong to; every answer of the server repeats it"},
    {"data_version", JC_CONF_STRING, AT(data_version), "unversioned", 0, 0, NULL, "the release of the training data"},
    {"attribution", JC_CONF_STRING, AT(attribution), "", 0, 0, NULL,
     "the notice the data's licence asks for; /v1/model shows it"},
    {"source.onet_dir", JC_CONF_STRING, AT(source.onet_dir), "", 0, 0, NULL,
     "folder of an O*NET text release; empty: the environment's JOBCODE_ONET_DIR, where there are no postings"},
    {"source.names", JC_CONF_BOOL, AT(source.names), "true", 0, 0, NULL, "every occupation's name is a training title"},
    {"source.descriptions", JC_CONF_BOOL, AT(source.descriptions), "false", 0, 0, NULL,
     "every occupation's description is a training title"},
    {"source.alternate_titles", JC_CONF_BOOL, AT(source.alternate_titles), "true", 0, 0, NULL,
     "the rows of Alternate Titles.txt are training titles"},
    {"source.exclude_sources", JC_CONF_LIST, AT(source.exclude_sources), "", 0, 0, NULL,
     "alternate titles with one of these source codes are left out (10: employers' postings)"},
    {"source.categories", JC_CONF_STRING, AT(source.categories), "", 0, 0, NULL,
     "a categories.tsv (code, tab, title): the categories, where there is no O*NET release; empty: those of the "
     "postings"},
    {"source.weight", JC_CONF_NUMBER, AT(source.weight), "1", 1e-6, 1e6, NULL,
     "how much a title of the release counts in training"},
    {"postings", JC_CONF_ITEMS, AT(postings), "", 0, 0, &postings_table, "tables of labelled postings"},
    {"codes.unknown", JC_CONF_CHOICE, AT(codes.unknown), "reject", 0, 0, "reject|drop|keep",
     "a posting of a code that is no category: a bad row, left out and counted, or a category of its own"},
    {"codes.unclassified", JC_CONF_CHOICE, AT(codes.unclassified), "drop", 0, 0, "drop|keep",
     "a posting labelled Unclassified: left out, or of the category 99-9999.00 Unclassified"},
    {"codes.crosswalk", JC_CONF_STRING, AT(codes.crosswalk), "", 0, 0, NULL,
     "the O*NET Center's table from O*NET-SOC 2010 to 2019: codes that are no category are looked up; empty: none"},
    {"codes.parted", JC_CONF_CHOICE, AT(codes.parted), "all", 0, 0, "all|drop",
     "a 2010 code that became several: the posting is of all of them, its weight shared, or is left out"},
    {"rejects", JC_CONF_STRING, AT(rejects), "", 0, 0, NULL,
     "a CSV file for bad rows: file, line, reason, row; empty: they are counted only"},
    {"max_bad_rows", JC_CONF_STRING, AT(max_bad_rows), "1%", 0, 0, NULL,
     "more bad rows than so many, or than that share of all, stop the run"},
    {"text.part", JC_CONF_CHOICE, AT(part), "title", 0, 0, "title|body|title_body",
     "what of a posting is encoded, in serving too; the other part stands in where it is empty"},
    {"text.chunks", JC_CONF_COUNT, AT(chunks), "1", 1, 16, NULL,
     "a text longer than encoder.max_tokens is cut into at most so many chunks, whose vectors are averaged"},
    {"augment.rows", JC_CONF_COUNT, AT(augment.rows), "0", 0, 1000, NULL,
     "categories with fewer postings than this also train on sentences of their bodies; 0: none do"},
    {"augment.sentences", JC_CONF_COUNT, AT(augment.sentences), "4", 1, 100, NULL, "most sentences of a posting"},
    {"split.kind", JC_CONF_CHOICE, AT(split.kind), "none", 0, 0, "none|postings|stratified|random|time|column",
     "the rows that evaluate; postings: the public benchmark's, O*NET titles known from employers' postings alone"},
    {"split.test", JC_CONF_NUMBER, AT(split.test), "0.2", 0.001, 0.9, NULL,
     "share of the rows, of the stratified, random and time splits"},
    {"split.rare", JC_CONF_COUNT, AT(split.rare), "5", 0, 1000000, NULL,
     "stratified: categories of so many rows or fewer train with all of them"},
    {"split.seed", JC_CONF_COUNT, AT(split.seed), "1", 0, 1e15, NULL,
     "another seed, another split; of the random split the same seed keeps every title where it is"},
    {"split.keep_equal", JC_CONF_BOOL, AT(split.keep_equal), "true", 0, 0, NULL,
     "equal titles stay on one side; false: the report says how many test titles also train"},
    {"method", JC_CONF_STRING, AT(method), "average", 0, 0, NULL, "what `fit` publishes"},
    {"methods", JC_CONF_LIST, AT(methods), "direct,average,softmax", 0, 0, NULL, "what `evaluate` compares"},
    {"direct.text", JC_CONF_CHOICE, AT(direct_text), "name", 0, 0, "name|name_description",
     "what the method direct encodes for a category"},
    {"softmax.epochs", JC_CONF_COUNT, AT(softmax.epochs), "6", 1, 1000, NULL, "passes over the training titles"},
    {"softmax.refit_epochs", JC_CONF_COUNT, AT(softmax.refit_epochs), "3", 1, 1000, NULL,
     "passes that go on from the calibrated fit once the validation texts are added"},
    {"softmax.batch", JC_CONF_COUNT, AT(softmax.batch), "256", 1, 65536, NULL, "titles a step"},
    {"softmax.learning_rate", JC_CONF_NUMBER, AT(softmax.learning_rate), "0.005", 1e-7, 1, NULL,
     "Adam's rate at the start; it falls to 0 in a line"},
    {"softmax.prior", JC_CONF_NUMBER, AT(softmax.prior), "0.5", 0, 1, NULL,
     "0: a category is as likely as its share of the training rows; 1: all are equally likely"},
    {"softmax.lexicon", JC_CONF_COUNT, AT(softmax.lexicon), "32", 0, 1024, NULL,
     "values that a word, or pair of words, is described by beside the text's vector; 0: the vector alone"},
    {"softmax.margin", JC_CONF_NUMBER, AT(softmax.margin), "0.1", 0, 1, NULL,
     "by how much the right category's score must lead in training"},
    {"softmax.smoothing", JC_CONF_NUMBER, AT(softmax.smoothing), "0", 0, 0.9, NULL,
     "share of a title's target that all categories get"},
    {"softmax.dropout", JC_CONF_NUMBER, AT(softmax.dropout), "0.3", 0, 0.9, NULL,
     "share of a vector's values that a step leaves out"},
    {"softmax.word_dropout", JC_CONF_NUMBER, AT(softmax.word_dropout), "0.3", 0, 0.9, NULL,
     "share of a title's words that a step leaves out"},
    {"contrastive.epochs", JC_CONF_COUNT, AT(contrastive.epochs), "6", 1, 1000, NULL,
     "most passes over the training texts"},
    {"contrastive.refit_epochs", JC_CONF_COUNT, AT(contrastive.refit_epochs), "2", 1, 1000, NULL,
     "passes that go on from the calibrated fit once the validation texts are added"},
    {"contrastive.patience", JC_CONF_COUNT, AT(contrastive.patience), "1", 1, 1000, NULL,
     "passes without a better validation loss that end it"},
    {"contrastive.batch", JC_CONF_COUNT, AT(contrastive.batch), "256", 1, 65536, NULL, "texts a step"},
    {"contrastive.learning_rate", JC_CONF_NUMBER, AT(contrastive.learning_rate), "0.003", 1e-7, 1, NULL,
     "Adam's rate at the start; it falls to 0 in a line"},
    {"contrastive.prior", JC_CONF_NUMBER, AT(contrastive.prior), "0.5", 0, 1, NULL,
     "0: a category is as likely as its share of the training rows; 1: all are equally likely"},
    {"contrastive.margin", JC_CONF_NUMBER, AT(contrastive.margin), "0", 0, 1, NULL,
     "by how much the right category's cosine must lead"},
    {"contrastive.dropout", JC_CONF_NUMBER, AT(contrastive.dropout), "0.2", 0, 0.9, NULL,
     "share of a vector's values that a step leaves out"},
    {"exemplar.k", JC_CONF_COUNT, AT(exemplar.k), "30", 1, 1000, NULL, "nearest training texts that vote"},
    {"exemplar.sharpness", JC_CONF_NUMBER, AT(exemplar.sharpness), "10", 0, 1000, NULL,
     "a text's vote is exp(sharpness * cosine)"},
    {"calibration.validation", JC_CONF_NUMBER, AT(validation), "0.1", 0, 0.5, NULL,
     "share of the training titles held out to calibrate `confidence` with; 0: no calibration"},
    {"calibration.accept_precision", JC_CONF_NUMBER, AT(accept_precision), "0.8", 0, 1, NULL,
     "answers are marked `accept` above the confidence from which so many of them were right in validation"},
    {"encoder.kind", JC_CONF_STRING, AT(encoder.kind), "bert", 0, 0, NULL,
     "bert: a published checkpoint; fake: no weights, for tests"},
    {"encoder.weights", JC_CONF_STRING, AT(encoder.weights), ".cache/weights", 0, 0, NULL,
     "the checkpoint's folder: model.safetensors, config.json, vocab.txt, 1_Pooling/config.json if it has one"},
    {"encoder.pooling", JC_CONF_CHOICE, AT(encoder.pooling), "checkpoint", 0, 0, "checkpoint|mean|cls",
     "how token vectors become a text's: what the checkpoint says (mean where it does not), or this"},
    {"encoder.prefix", JC_CONF_STRING, AT(encoder.prefix), "", 0, 0, NULL,
     "put before each text, in serving too, for encoders that were trained to be told what a text is"},
    {"encoder.backend", JC_CONF_CHOICE, AT(encoder.backend), "onednn", 0, 0, JC_BACKEND_NAMES,
     "what runs the encoder: our own code over oneDNN, or libtorch"},
    {"encoder.precision", JC_CONF_CHOICE, AT(encoder.precision), "f32", 0, 0, JC_PRECISION_NAMES,
     "of the vectors trained and measured on; int8 is three times as fast, and needs onednn"},
    {"encoder.buckets", JC_CONF_LIST, AT(encoder.buckets), "auto", 0, 0, &buckets_check,
     "numbers of tokens that a GPU's batches are rounded up to: ascending multiples of 16, the last the most of a "
     "batch"},
    {"encoder.name", JC_CONF_STRING, AT(encoder.name), "all-MiniLM-L6-v2", 0, 0, NULL,
     "what the manifest calls the encoder"},
    {"encoder.max_tokens", JC_CONF_COUNT, AT(encoder.max_tokens), "0", 0, 512, NULL,
     "longer texts are cut to so many tokens, in serving too; 0: as many as the encoder takes"},
    {"seed", JC_CONF_COUNT, AT(seed), "1", 0, 1e15, NULL, "the same seed, data and threads give the same model"},
    {"threads", JC_CONF_COUNT, AT(threads), "0", 0, 1024, NULL, "threads that encode and train; 0: one a core"},
    {"cache", JC_CONF_STRING, AT(cache), ".cache/vectors", 0, 0, NULL,
     "a folder that keeps the vectors of texts between runs; empty: none"},
    {"output", JC_CONF_STRING, AT(output), "build/model", 0, 0, NULL, "the folder that `fit` publishes"},
    {"keep", JC_CONF_COUNT, AT(keep), "0", 0, 1000, NULL,
     "0: output is the model; else it holds so many versions, and `current` points at the newest"},
    {"refuse_worse", JC_CONF_STRING, AT(refuse_worse), "", 0, 0, NULL,
     "refuse to publish where top-1 on the test rows is worse than the present model's by more than this, e.g. 0.01; "
     "empty: never"},
    {"all_rows", JC_CONF_BOOL, AT(all_rows), "true", 0, 0, NULL,
     "publish what is fitted on the test rows too; false: they stay unseen, for the next model to be compared on"},
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
