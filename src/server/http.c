/* The libmicrohttpd adapter. See http.h. */
#include "server/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "server/accept.h"
#include "server/policy.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/routes.h"
#include "server/server.h"
#include "server/tls.h"

/* A connection's memory: a request line with its headers, or a piece of a body, fits. libmicrohttpd zeroes it for every
 * request: its default of 32 KiB is felt, and no query needs it. */
#define CONNECTION_BYTES (16 * 1024)

/* A client that goes on sending a body we refused is cut off after this many times the cap. */
#define MAX_DISCARD_FACTOR 4

const char *jc_request_header(const struct jc_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct name_count {
    const char *name;
    size_t n;
};

static enum MHD_Result count_name(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    (void)value;
    struct name_count *count = context;
    count->n += strcasecmp(key, count->name) == 0;
    return MHD_YES;
}

size_t jc_request_header_count(const struct jc_request *request, const char *name)
{
    struct name_count count = {.name = name};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_name, &count);
    return count.n;
}

void jc_request_address(const struct jc_request *request, char ret_text[JC_ADDRESS_TEXT])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *peer = info ? info->client_addr : NULL;
    ret_text[0] = '\0';
    if (peer && peer->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, ret_text, JC_ADDRESS_TEXT);
    else if (peer && peer->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, ret_text, JC_ADDRESS_TEXT);
}

const char *jc_request_query(const struct jc_request *request, const char *name, size_t *ret_n)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &n) !=
        MHD_YES)
        return NULL;
    *ret_n = n;
    return value ? value : "";
}

jc_code jc_request_query_count(struct jc_request *request, const char *name, uint64_t min, uint64_t max,
                               uint64_t *value)
{
    struct jc_err err;
    size_t n;
    uint64_t number = 0;
    const char *text = jc_request_query(request, name, &n);
    if (!text)
        return JC_OK;
    if (strlen(text) != n || jc_parse_u64(text, &number, &err) != JC_OK || number < min || number > max)
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL,
                              "Query parameter '%s': expected an integer from %ju to %ju.", name, (uintmax_t)min,
                              (uintmax_t)max);
    *value = number;
    return JC_OK;
}

struct known_names {
    const char *const *names;
    size_t n_names;
    char unknown[64];
};

static enum MHD_Result check_name(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    (void)value;
    struct known_names *known = context;
    for (size_t i = 0; i < known->n_names; i++)
        if (strcmp(known->names[i], key) == 0)
            return MHD_YES;
    snprintf(known->unknown, sizeof known->unknown, "%s", key[0] ? key : "(empty)");
    return MHD_NO;
}

jc_code jc_request_query_only(struct jc_request *request, const char *const *names, size_t n_names)
{
    struct known_names known = {.names = names, .n_names = n_names};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_name, &known);
    if (!known.unknown[0])
        return JC_OK;
    return jc_problem_set(&request->problem, JC_PROBLEM_UNKNOWN_MEMBER, NULL, "Unknown query parameter '%s'.",
                          known.unknown);
}

static struct jc_request *create_request(struct jc_server *server, struct MHD_Connection *connection,
                                         const char *method, const char *path)
{
    struct jc_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->connection = connection;
    request->method = method;
    request->path = path;
    request->start_ns = jc_clock_ns();
    jc_policy_name(request);
    jc_metrics_in_flight(server->metrics, 1);
    return request;
}

/* libmicrohttpd is done with a request, however it ended. No worker has its ticket: it was not suspended. */
static void complete_request(void *context, struct MHD_Connection *connection, void **request_context,
                             enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    (void)reason;
    struct jc_server *server = context;
    struct jc_request *request = *request_context;
    if (!request)
        return;
    *request_context = NULL;
    jc_buf_finish(&request->body);
    jc_buf_finish(&request->reply.body);
    jc_classify_finish(&request->classify);
    jc_buf_finish(&request->titles);
    free(request);
    jc_metrics_in_flight(server->metrics, -1);
}

static jc_code fail_too_large(struct jc_request *request)
{
    return jc_problem_set(&request->problem, JC_PROBLEM_BODY_TOO_LARGE, NULL, "The limit is %ju bytes.",
                          (uintmax_t)request->server->config->limits.body_bytes);
}

static jc_code check_body_headers(struct jc_request *request)
{
    const char *type = jc_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!type || !jc_media_type_is(type, "application/json"))
        return jc_problem_set(&request->problem, JC_PROBLEM_UNSUPPORTED_TYPE, NULL,
                              "Send Content-Type: application/json.");
    if (jc_request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING))
        return jc_problem_set(&request->problem, JC_PROBLEM_UNSUPPORTED_TYPE, NULL,
                              "Content-Encoding is not supported.");
    struct jc_err err;
    uint64_t length = 0;
    const char *text = jc_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (text && (jc_parse_u64(text, &length, &err) != JC_OK || length > request->server->config->limits.body_bytes))
        return fail_too_large(request);
    return JC_OK;
}

/* What can be refused from the headers alone, before a byte of the body is read. */
static jc_code check_headers(struct jc_request *request)
{
    bool path_exists;
    request->route = jc_route_find(request->method, request->path, &path_exists);
    if (!path_exists)
        return jc_problem_set(&request->problem, JC_PROBLEM_NOT_FOUND, NULL, "There is nothing at %s.", request->path);
    if (request->route == jc_n_routes) {
        request->reply.allow = jc_route_allow(request->path);
        return jc_problem_set(&request->problem, JC_PROBLEM_METHOD_NOT_ALLOWED, NULL,
                              "%s does not take %s; it takes %s.", request->path, request->method,
                              request->reply.allow);
    }
    const struct jc_route *route = &jc_routes[request->route];
    jc_code code = jc_policy_authenticate(request);
    if (code)
        return code;
    const char *accept = jc_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    if (accept && route->produces && !jc_accept_allows(accept, route->produces))
        return jc_problem_set(&request->problem, JC_PROBLEM_NOT_ACCEPTABLE, NULL, "This resource is %s.",
                              route->produces);
    return route->has_body ? check_body_headers(request) : JC_OK;
}

/* Returns MHD_NO to close the connection of a client that will not stop sending. */
static enum MHD_Result take_body(struct jc_request *request, const char *data, size_t n)
{
    size_t cap = request->server->config->limits.body_bytes;
    bool wanted = request->problem.kind == JC_PROBLEM_NONE && jc_routes[request->route].has_body;
    if (wanted && n <= cap - request->body.n) {
        jc_buf_put(&request->body, data, n);
        return request->body.failed ? MHD_NO : MHD_YES;
    }
    if (wanted)
        fail_too_large(request);
    jc_buf_finish(&request->body);
    request->n_discarded += n;
    return request->n_discarded > cap * MAX_DISCARD_FACTOR ? MHD_NO : MHD_YES;
}

/*
 * An answer before the body is read makes libmicrohttpd close, and what the client is still sending then resets the
 * connection, often before the answer is read. So a body is discarded first, unless it is too long for that or the
 * client waits for our word before it sends.
 */
static bool answers_at_once(const struct jc_request *request)
{
    struct jc_err err;
    uint64_t length = 0, most = request->server->config->limits.body_bytes * MAX_DISCARD_FACTOR;
    const char *text = jc_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool announced = text && jc_parse_u64(text, &length, &err) == JC_OK && length <= most;
    return jc_request_header(request, MHD_HTTP_HEADER_EXPECT) || (text && !announced);
}

static void resume(struct jc_ticket *ticket)
{
    const struct jc_request *request = ticket->context;
    MHD_resume_connection(request->connection);
}

/* Suspends, then pushes: a worker may be done before this returns, and resuming needs a suspended connection. */
static enum MHD_Result submit(struct jc_request *request)
{
    struct jc_ticket *ticket = &request->classify.ticket;
    ticket->done = resume;
    ticket->context = request;
    request->state = JC_REQUEST_WAITING;
    MHD_suspend_connection(request->connection);

    jc_code code = jc_batcher_push(request->server->batcher, ticket, &ticket->err);
    if (code) {
        atomic_store(&ticket->failure, code);
        if (code == JC_E_OVERLOADED)
            jc_metrics_add(request->server->metrics, JC_COUNTER_REJECTED, 1);
        resume(ticket);
    }
    return MHD_YES;
}

/* The whole request is here. */
static enum MHD_Result dispatch(struct jc_request *request)
{
    if (request->problem.kind == JC_PROBLEM_NONE) {
        jc_code code = jc_routes[request->route].handle(request);
        if (code == JC_OK && request->classify.submit)
            return submit(request);
    }
    return jc_reply_send(request);
}

static enum MHD_Result handle_access(void *context, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *data, size_t *n_data,
                                     void **request_context)
{
    (void)version;
    struct jc_request *request = *request_context;
    if (!request) {
        *request_context = request = create_request(context, connection, method, url);
        if (!request)
            return MHD_NO;
        return check_headers(request) && answers_at_once(request) ? jc_reply_send(request) : MHD_YES;
    }
    if (*n_data) {
        enum MHD_Result result = take_body(request, data, *n_data);
        *n_data = 0;
        return result;
    }
    if (request->state == JC_REQUEST_READING)
        return dispatch(request);
    if (request->state == JC_REQUEST_WAITING) {
        jc_classify_answer(request);
        return jc_reply_send(request);
    }
    return MHD_YES;
}

/* The first complaint of this thread: why a daemon did not start. Those behind it say only that it did not. */
static _Thread_local char complaint[512];

/* libmicrohttpd's own complaints are about clients (resets, garbage): debug level. */
static void JC_PRINTF(2, 0) log_daemon(void *context, const char *fmt, va_list args)
{
    (void)context;
    char text[sizeof complaint];
    vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\r\n")] = '\0';
    if (!complaint[0])
        memcpy(complaint, text, sizeof text);
    jc_log(JC_LOG_DEBUG, "http", "detail", text, NULL);
}

/* A listening socket on the first usable address of `address`. */
static jc_code open_listener(const char *address, unsigned port, int *ret_fd, struct jc_err *err)
{
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    int error = getaddrinfo(address, service, &hints, &found);
    if (error)
        return jc_fail(err, JC_E_INVALID, "http.address '%s': %s", address, gai_strerror(error));

    JC_AUTO_FD int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    bool listening = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
    freeaddrinfo(found);
    if (!listening)
        return jc_fail_errno(err, JC_E_IO, "listen on %s port %u", address, port);
    *ret_fd = fd;
    fd = -1;
    return JC_OK;
}

static unsigned bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {0}};
    socklen_t n = sizeof address;
    if (getsockname(fd, &address.any, &n) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Three options and their end; none without TLS. */
static jc_code add_tls(const struct jc_tls *tls, unsigned *flags, struct MHD_OptionItem ret_options[4],
                       struct jc_err *err)
{
    ret_options[0] = (struct MHD_OptionItem){.option = MHD_OPTION_END};
    if (!tls)
        return JC_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return jc_fail(err, JC_E_UNSUPPORTED, "tls.certificate: the installed libmicrohttpd was built without TLS");
    *flags |= MHD_USE_TLS;
    ret_options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)jc_tls_certificate(tls)};
    ret_options[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)jc_tls_key(tls)};
    ret_options[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)JC_TLS_PRIORITIES};
    ret_options[3] = (struct MHD_OptionItem){.option = MHD_OPTION_END};
    return JC_OK;
}

static jc_code fail_start(const struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    if (!server->tls)
        return jc_fail(err, JC_E_IO, "start the HTTP threads on %s port %u: %s", config->http.address, server->port,
                       complaint);
    return jc_fail(err, JC_E_INVALID, "start TLS with tls.certificate '%s' and tls.key '%s': %s",
                   config->tls.certificate, config->tls.key, complaint);
}

jc_code jc_http_start(struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    JC_AUTO_FD int fd = -1;
    jc_code code = open_listener(config->http.address, (unsigned)config->http.port, &fd, err);
    if (code)
        return code;
    server->port = bound_port(fd);

    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[4];
    if ((code = add_tls(server->tls, &flags, tls, err)))
        return code;
    complaint[0] = '\0';
    /* The logger comes first: only then do later options' complaints go there. */
    server->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, handle_access, server, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
                         MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, complete_request, server,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)config->http.connections, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)(config->http.idle_timeout_ms / 1000), MHD_OPTION_ARRAY, tls,
                         config->http.threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
                         (unsigned)config->http.threads, MHD_OPTION_END);
    if (!server->daemon)
        return fail_start(server, err);
    fd = -1; /* the daemon's now */
    return JC_OK;
}

void jc_http_stop_accepting(struct jc_server *server)
{
    /* Shut down, not closed: an event thread may still use the descriptor until the daemon has stopped. */
    server->quiesced_fd = MHD_quiesce_daemon(server->daemon);
    if (server->quiesced_fd >= 0)
        shutdown(server->quiesced_fd, SHUT_RDWR);
}

void jc_http_stop(struct jc_server *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    if (server->quiesced_fd >= 0)
        close(server->quiesced_fd);
    server->quiesced_fd = -1;
}
