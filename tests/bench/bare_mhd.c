/*
 * The yardstick for the server's own work: a bare libmicrohttpd handler with the server's flags. It reads a POST body
 * and answers a constant JSON of N bytes; it does not look at the request.
 *     bare_mhd N THREADS
 * Prints the port it listens on and ends when its standard input does.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    char *body;
    size_t n;
};

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *n_data, void **request_context)
{
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    const struct answer *answer = context;
    if (!*request_context || *n_data) {
        *request_context = context;
        *n_data = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(answer->n, answer->body, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    struct answer answer = {.n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0};
    unsigned n_threads = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (answer.n < 4 || answer.n > 1 << 20 || n_threads < 1 || n_threads > 64) {
        fputs("usage: bare_mhd BYTES (4 to 1 MiB) THREADS (1 to 64)\n", stderr);
        return 2;
    }
    answer.body = malloc(answer.n);
    if (!answer.body)
        return 1;
    memset(answer.body, ' ', answer.n);
    memcpy(answer.body, "{}", 2);

    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, &answer, MHD_OPTION_CONNECTION_TIMEOUT, 60U, MHD_OPTION_CONNECTION_LIMIT, 4096U,
        n_threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, n_threads, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info) {
        printf("%u\n", (unsigned)info->port);
        fflush(stdout);
        while (getchar() != EOF)
            ;
    }
    if (daemon)
        MHD_stop_daemon(daemon);
    free(answer.body);
    return info ? 0 : 1;
}
