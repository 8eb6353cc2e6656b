/* Reading a checkpoint's files: what a sentence-transformers folder says, and what is refused. */
#include "trainer/vectors/checkpoint.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/sha256.h"
#include "check.h"

static struct jc_err err;
static char folder[] = "/tmp/test_checkpoint.XXXXXX", pooling_folder[PATH_MAX];

#define CONFIG(extra)                                                                                     \
    "{\"model_type\":\"bert\",\"hidden_size\":8,\"num_hidden_layers\":2,\"num_attention_heads\":2," extra \
    "\"intermediate_size\":16,\"vocab_size\":5,\"max_position_embeddings\":64,\"type_vocab_size\":2}"

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    REQUIRE_OK(jc_path_join(path, sizeof(path), folder, name, &err));
    REQUIRE_OK(jc_file_write(path, text, strlen(text), &err));
}

static void remove_file(const char *name)
{
    char path[PATH_MAX];
    REQUIRE_OK(jc_path_join(path, sizeof(path), folder, name, &err));
    unlink(path);
}

static jc_code read_checkpoint(const char *pooling, struct jc_bert *ret_bert, bool *ret_guessed)
{
    return jc_checkpoint_read(folder, pooling, ret_bert, ret_guessed, &err);
}

static void test_plain(void)
{
    struct jc_bert bert;
    bool guessed;
    char sha256[JC_SHA256_HEX];
    REQUIRE_OK(read_checkpoint(NULL, &bert, &guessed));
    CHECK(guessed);
    CHECK_INT(bert.pooling, JC_POOLING_MEAN);
    CHECK_INT(bert.hidden, 8);
    CHECK_INT(bert.layers, 2);
    CHECK_INT(bert.heads, 2);
    CHECK_INT(bert.intermediate, 16);
    CHECK_INT(bert.vocab, 5);
    CHECK_INT(bert.positions, 64);
    CHECK_INT(bert.types, 2);
    CHECK_INT(bert.max_tokens, 64);
    CHECK_NEAR(bert.layer_norm_eps, 1e-12, 1e-20);
    jc_sha256_hex("weights", 7, sha256);
    CHECK_STR(bert.source_sha256, sha256);

    REQUIRE_OK(read_checkpoint("cls", &bert, &guessed));
    CHECK(!guessed);
    CHECK_INT(bert.pooling, JC_POOLING_CLS);
    CHECK_FAILS(read_checkpoint("max", &bert, &guessed), JC_E_INVALID, "pooling 'max': mean or cls");
}

static void test_pooling(void)
{
    struct jc_bert bert;
    bool guessed;
    write_file("1_Pooling/config.json", "{\"word_embedding_dimension\":8,\"pooling_mode_cls_token\":true,"
                                        "\"pooling_mode_mean_tokens\":false}");
    REQUIRE_OK(read_checkpoint(NULL, &bert, &guessed));
    CHECK(!guessed);
    CHECK_INT(bert.pooling, JC_POOLING_CLS);
    CHECK_FAILS(read_checkpoint("mean", &bert, &guessed), JC_E_INVALID, "'mean' contradicts");
    write_file("1_Pooling/config.json", "{\"pooling_mode_max_tokens\":true}");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_UNSUPPORTED, "'pooling_mode_max_tokens'");
    write_file("1_Pooling/config.json", "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":true}");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_UNSUPPORTED, "2 modes are set");
    remove_file("1_Pooling/config.json");
}

static void test_context(void)
{
    struct jc_bert bert;
    bool guessed;
    write_file("sentence_bert_config.json", "{\"max_seq_length\":32,\"do_lower_case\":false}");
    REQUIRE_OK(read_checkpoint(NULL, &bert, &guessed));
    CHECK_INT(bert.max_tokens, 32);
    write_file("sentence_bert_config.json", "{\"max_seq_length\":null}");
    REQUIRE_OK(read_checkpoint(NULL, &bert, &guessed));
    CHECK_INT(bert.max_tokens, 64);
    write_file("sentence_bert_config.json", "{\"max_seq_length\":100}");
    REQUIRE_OK(read_checkpoint(NULL, &bert, &guessed));
    CHECK_INT(bert.max_tokens, 64);
    write_file("sentence_bert_config.json", "{\"max_seq_length\":-1}");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_FORMAT, "'max_seq_length'");
    remove_file("sentence_bert_config.json");
}

static void check_config(const char *config, jc_code wanted, const char *part)
{
    struct jc_bert bert;
    bool guessed;
    write_file("config.json", config);
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), wanted, part);
    write_file("config.json", CONFIG(""));
}

static void test_refusals(void)
{
    check_config("{\"a\":", JC_E_FORMAT, "config.json:1:");
    check_config("{\"a\":1,\"a\":2}", JC_E_FORMAT, "duplicate");
    check_config("[]", JC_E_UNSUPPORTED, "'model_type'");
    check_config("{\"model_type\":\"roberta\"}", JC_E_UNSUPPORTED, "'model_type' is 'roberta'");
    check_config("{\"model_type\":\"bert\"}", JC_E_FORMAT, "'hidden_size'");
    check_config(CONFIG("\"hidden_act\":\"relu\","), JC_E_UNSUPPORTED, "'hidden_act' is 'relu'");
    check_config(CONFIG("\"position_embedding_type\":\"relative_key\","), JC_E_UNSUPPORTED,
                 "'position_embedding_type'");
    check_config(CONFIG("\"layer_norm_eps\":\"x\","), JC_E_FORMAT, "'layer_norm_eps'");
    check_config("{\"model_type\":\"bert\",\"hidden_size\":-8}", JC_E_FORMAT, "'hidden_size'");
    check_config("{\"model_type\":\"bert\",\"hidden_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":3,"
                 "\"intermediate_size\":16,\"vocab_size\":5,\"max_position_embeddings\":64,\"type_vocab_size\":2}",
                 JC_E_FORMAT, "no multiple");

    struct jc_bert bert;
    bool guessed;
    write_file("modules.json", "[{\"type\":\"sentence_transformers.models.Transformer\"},"
                               "{\"type\":\"sentence_transformers.models.Dense\"}]");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_UNSUPPORTED, "'Dense'");
    remove_file("modules.json");
    write_file("tokenizer_config.json", "{\"do_lower_case\":false}");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_UNSUPPORTED, "cased");
    remove_file("tokenizer_config.json");
    write_file("vocab.txt", "[CLS]\n[SEP]\n[UNK]\na\n");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_FORMAT, "4 tokens, config.json says 5");
    write_file("vocab.txt", "[CLS]\n[SEP]\n[UNK]\na\nb\n");
    remove_file("model.safetensors");
    CHECK_FAILS(read_checkpoint(NULL, &bert, &guessed), JC_E_NOT_FOUND, "model.safetensors");
    CHECK_FAILS(jc_checkpoint_read("/nonexistent", NULL, &bert, &guessed, &err), JC_E_NOT_FOUND, "config.json");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    snprintf(pooling_folder, sizeof(pooling_folder), "%s/1_Pooling", folder);
    REQUIRE(mkdir(pooling_folder, 0755) == 0);
    write_file("config.json", CONFIG(""));
    write_file("vocab.txt", "[CLS]\n[SEP]\n[UNK]\na\nb\n");
    write_file("model.safetensors", "weights");
    test_plain();
    test_pooling();
    test_context();
    test_refusals();
    jc_dir_remove(pooling_folder);
    jc_dir_remove(folder);
    return check_finish();
}
