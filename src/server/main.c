/* jobcode-server: reads the configuration, starts the server, waits for a signal, drains, ends. */
#include <getopt.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "model/runtime.h"
#include "server/config.h"
#include "server/hash_key.h"
#include "server/policy.h"
#include "server/server.h"
#include "version.h"

#define MAX_SETS 64

static const char usage[] = "Usage: jobcode-server [--config FILE] [--set KEY=VALUE]... [--check]\n"
                            "       jobcode-server --hash-key NAME < KEY >> KEYS_FILE\n"
                            "\n"
                            "  --config FILE    YAML configuration (config/server.yaml is its manual)\n"
                            "  --set KEY=VALUE  overrides a key of it, e.g. --set http.port=9090\n"
                            "  --check          reads the configuration and verifies the model, then ends\n"
                            "  --hash-key NAME  writes the line of auth.keys_file for the key on standard input\n"
                            "  --help-config    lists every key\n"
                            "  --version, --help\n"
                            "\n"
                            "SIGTERM or SIGINT: /readyz turns 503, accepted requests are answered, exit 0.\n";

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

static sem_t stop;
static atomic_int stop_signal;

static void note_stop(int number)
{
    atomic_store(&stop_signal, number);
    sem_post(&stop);
}

/* A handler, and not sigwait: libraries start threads before main, which do not block signals, so that a second SIGTERM
 * would end the process while it drains. */
static void catch_stop_signals(void)
{
    struct sigaction action = {.sa_handler = note_stop, .sa_flags = SA_RESTART};
    sem_init(&stop, 0, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Serves until SIGTERM or SIGINT. */
static int serve(const struct jc_server_config *config)
{
    catch_stop_signals();
    struct jc_err err;
    JC_AUTO(jc_server) struct jc_server *server = NULL;
    if (jc_server_create(config, &server, &err) != JC_OK)
        return fail("start_failed", &err);

    char port[12], workers[24];
    snprintf(port, sizeof port, "%u", server->port);
    snprintf(workers, sizeof workers, "%zu", server->n_workers);
    jc_log(JC_LOG_INFO, "listening", "address", config->http.address, "port", port, "model",
           jc_bundle_manifest(jc_classifier_bundle(server->classifier))->version, "workers", workers, NULL);

    while (sem_wait(&stop) != 0)
        ;
    jc_log(JC_LOG_INFO, "draining", "signal", strsignal(atomic_load(&stop_signal)), NULL);
    bool clean = jc_server_drain(server);
    jc_log(clean ? JC_LOG_INFO : JC_LOG_WARN, "stopped", "unanswered", clean ? "no" : "yes", NULL);
    if (!clean)
        _exit(1); /* what is still under way has had its time: an orderly end would wait for it */
    return 0;
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
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    if (jc_classifier_load(config.model.folder, &options, &classifier, &err) != JC_OK)
        return fail("model_failed", &err);
    puts("configuration and model are good");
    return 0;
}
