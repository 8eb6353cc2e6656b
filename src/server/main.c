/* jobcode-server: reads the configuration, starts the server, serves until a signal, ends. */
#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "model/runtime.h"
#include "server/config.h"
#include "server/life/signals.h"
#include "server/policy/hash_key.h"
#include "server/policy/policy.h"
#include "server/server.h"
#include "version.h"

#define MAX_SETS 64

static const char usage[] =
    "Usage: jobcode-server [--config FILE] [--set KEY=VALUE]... [--check]\n"
    "       jobcode-server --hash-key NAME < KEY >> KEYS_FILE\n"
    "\n"
    "  --config FILE    YAML configuration (config/server.yaml is its manual)\n"
    "  --set KEY=VALUE  overrides a key of it, e.g. --set http.port=9090\n"
    "  --check          reads the configuration and verifies the model, then ends\n"
    "  --hash-key NAME  writes the line of auth.keys_file for the key on standard input\n"
    "  --help-config    lists every key\n"
    "  --version, --help\n"
    "\n"
    "SIGTERM, SIGINT  /readyz turns 503, accepted requests are answered; a second one: fast\n"
    "SIGHUP           loads model and API keys again; where one is not good, the old one serves on\n"
    "Exit status: 0 all accepted requests were answered; 1 it could not start, some were not, or a\n"
    "GPU was lost: start it again; 2 wrong usage\n";

struct arguments {
    const char *config;
    const char *sets[MAX_SETS];
    size_t n_sets;
    bool check;
    const char *hash_key;
};

/* Returns -1 to go on, else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
        {"check", no_argument, NULL, 'k'},        {"hash-key", required_argument, NULL, 'H'},
        {"help-config", no_argument, NULL, 'K'},  {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            arguments->config = optarg;
        else if (option == 's' && arguments->n_sets < MAX_SETS)
            arguments->sets[arguments->n_sets++] = optarg;
        else if (option == 'k')
            arguments->check = true;
        else if (option == 'H')
            arguments->hash_key = optarg;
        else if (option == 'K')
            return jc_conf_print_help(jc_server_keys, jc_server_n_keys, stdout), 0;
        else if (option == 'v')
            return printf("jobcode-server %s (%s)\n", JC_VERSION, jc_runtime_versions()), 0;
        else if (option == 'h')
            return fputs(usage, stdout), 0;
        else
            return fputs(usage, stderr), 2;
    }
    return optind == argc ? -1 : (fputs(usage, stderr), 2);
}

static int fail(const char *event, const struct jc_err *err)
{
    jc_log_err(event, err);
    return 1;
}

static void log_listening(const struct jc_listener *listener)
{
    char port[12];
    snprintf(port, sizeof port, "%u", listener->port);
    jc_log(JC_LOG_INFO, "listening", "listener", listener->key, "address", listener->address, "port", port, NULL);
}

/* Serves until SIGTERM or SIGINT. */
static int serve(const struct jc_server_config *config)
{
    struct jc_err err;
    JC_AUTO(jc_server) struct jc_server *server = NULL;
    if (jc_signals_catch(&err) != JC_OK || jc_server_create(config, &server, &err) != JC_OK)
        return fail("start_failed", &err);
    if (config->admin.address[0])
        log_listening(&server->admin);
    log_listening(&server->public);

    bool clean = false;
    if (jc_lifecycle_run(server, &clean, &err) != JC_OK)
        return fail("start_failed", &err);
    if (jc_server_is_held_up(server))
        _exit(!clean); /* an orderly end would wait for what has had its time */
    return !clean;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    int status = parse_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;

    struct jc_err err;
    if (arguments.hash_key)
        return jc_hash_key(arguments.hash_key, stdin, stdout, &err) ? fail("hash_key_failed", &err) : 0;
    jc_runtime_init();

    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    if (jc_server_config_load(arguments.config, arguments.sets, arguments.n_sets, &config, &conf, &err) != JC_OK)
        return fail("config_failed", &err);
    jc_log_set_level((enum jc_log_level)config.log.level);
    if (!arguments.check)
        return serve(&config);

    if (jc_policy_check_files(&config, &err) != JC_OK)
        return fail("config_failed", &err);
    const struct jc_encoder_options options = jc_server_encoder_options(&config);
    JC_AUTO(jc_model) struct jc_model *model = NULL;
    if (jc_model_load(config.model.folder, &options, 1, &model, &err) != JC_OK)
        return fail("model_failed", &err);
    puts("configuration and model are good");
    return 0;
}
