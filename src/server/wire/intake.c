/* From libmicrohttpd's callbacks to the connection table, the header lint and client addresses. See intake.h. */
#include "server/wire/intake.h"

#include <string.h>
#include <sys/socket.h>

#include "server/api/request.h"
#include "server/server.h"
#include "server/wire/address_counts.h"
#include "server/wire/client_address.h"
#include "server/wire/header_lint.h"

/* What the header lint knows. */
#define MHD_RELEASE "0.9.75"

/* While the server drains, a request that began before the grace was over has this long beyond it. */
#define DRAIN_EXTRA_MS 2000

struct jc_intake {
    struct jc_connections *connections;
    struct jc_networks *proxies;
    struct jc_address_counts *counts;
};

/* The socket context: one a connection. */
struct peer {
    struct jc_connection *open;
    bool is_proxy;
    bool is_counted;           /* under its address */
    const char *target_reason; /* of the request that is being read: why its target is refused; NULL = fine */
    struct jc_target target;
};

static struct peer *find_peer(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

jc_code jc_intake_create(const struct jc_server_config *config, struct jc_metrics *metrics,
                         struct jc_intake **ret_intake, struct jc_err *err)
{
    if (strncmp(MHD_get_version(), MHD_RELEASE, strlen(MHD_RELEASE)) != 0)
        return jc_fail(err, JC_E_UNSUPPORTED, "libmicrohttpd %s is installed; the header lint is for " MHD_RELEASE,
                       MHD_get_version());
    JC_AUTO(jc_intake) struct jc_intake *intake = calloc(1, sizeof *intake);
    if (!intake)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    const struct jc_conf_list *proxies = &config->http.trusted_proxies;
    const struct jc_connection_limits limits = {.timeout_ms = {[JC_PHASE_IDLE] = config->http.idle_timeout_ms,
                                                               [JC_PHASE_HEAD] = config->http.header_timeout_ms,
                                                               [JC_PHASE_BODY] = config->http.body_timeout_ms,
                                                               [JC_PHASE_SENDING] = config->http.send_timeout_ms},
                                                .encrypted = config->tls.certificate[0] != '\0',
                                                .log = config->log.requests};
    jc_code code = jc_networks_create(proxies->items, proxies->n, &intake->proxies, err);
    if (code)
        return jc_wrap(err, "http.trusted_proxies");
    code = jc_address_counts_create(config->http.connections_per_address, &intake->counts, err);
    if (!code)
        code = jc_connections_create(&limits, metrics, &intake->connections, err);
    if (code)
        return code;
    *ret_intake = TAKE(intake);
    return JC_OK;
}

void jc_intake_destroy(struct jc_intake *intake)
{
    if (!intake)
        return;
    jc_connections_destroy(intake->connections);
    jc_address_counts_destroy(intake->counts);
    jc_networks_destroy(intake->proxies);
    free(intake);
}

struct jc_connections *jc_intake_connections(struct jc_intake *intake)
{
    return intake->connections;
}

void jc_intake_drain(struct jc_intake *intake, uint64_t grace_ms)
{
    jc_connections_drain(intake->connections, grace_ms + DRAIN_EXTRA_MS);
}

static void begin_connection(struct jc_intake *intake, struct MHD_Connection *connection, void **socket_context)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    struct jc_address address = {{0}};
    struct peer *peer = calloc(1, sizeof *peer);
    bool known = jc_address_from_socket(from, &address);
    if (peer)
        peer->open = jc_connection_create(intake->connections, fd, &address);
    if (!peer || !peer->open) {
        free(peer);
        shutdown(fd, SHUT_RDWR); /* out of memory */
        return;
    }
    *socket_context = peer;
    peer->is_proxy = known && jc_networks_have(intake->proxies, &address);
    peer->is_counted = known && !peer->is_proxy && jc_address_counts_take(intake->counts, &address);
    if (known && !peer->is_proxy && !peer->is_counted)
        jc_connection_refuse(peer->open, JC_CLOSED_PER_ADDRESS);
}

static void end_connection(struct jc_intake *intake, struct peer *peer)
{
    if (peer->is_counted)
        jc_address_counts_return(intake->counts, jc_connection_address(peer->open));
    jc_connection_destroy(peer->open);
    free(peer);
}

void jc_intake_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin_connection(context, connection, socket_context);
    else if (*socket_context)
        end_connection(context, *socket_context);
}

void *jc_intake_target(void *context, const char *target, struct MHD_Connection *connection)
{
    (void)context;
    struct peer *peer = find_peer(connection);
    if (!peer)
        return NULL;
    jc_connection_enter(peer->open, JC_PHASE_HEAD);
    peer->target_reason = target ? jc_target_parse(target, strlen(target), &peer->target) : "no target";
    return NULL; /* the request's context: there is none yet */
}

static enum MHD_Result add_forwarded(void *context, enum MHD_ValueKind kind, const char *name, size_t n_name,
                                     const char *value, size_t n_value)
{
    (void)kind;
    static const char header[] = "X-Forwarded-For";
    if (n_name == sizeof header - 1 && strncasecmp(name, header, n_name) == 0)
        jc_client_address_add(context, value, n_value);
    return MHD_YES;
}

bool jc_intake_begin(struct jc_request *request)
{
    const struct peer *peer = find_peer(request->connection);
    if (!peer)
        return false;
    request->open = peer->open;
    request->client = *jc_connection_address(peer->open);
    if (peer->is_proxy) {
        struct jc_client_address client;
        jc_client_address_begin(&client, request->server->intake->proxies, &request->client);
        MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, add_forwarded, &client);
        request->client = jc_client_address_end(&client);
    }
    jc_connection_name(peer->open, request->id, &request->client);
    return jc_connection_enter(peer->open, JC_PHASE_BODY);
}

static enum MHD_Result lint_field(void *context, enum MHD_ValueKind kind, const char *name, size_t n_name,
                                  const char *value, size_t n_value)
{
    (void)kind;
    jc_header_lint_field(context, name, n_name, value ? value : "", n_value);
    return MHD_YES;
}

static const char *lint(const struct jc_request *request, const struct peer *peer, const char *version)
{
    if (peer->target_reason)
        return peer->target_reason;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const struct jc_request_head head = {.bytes = request->method,
                                         .n_bytes = info ? info->header_size : 0,
                                         .target = request->path,
                                         .parsed = &peer->target,
                                         .version = version};
    struct jc_header_lint lint;
    jc_header_lint_begin(&lint, &head);
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, lint_field, &lint);
    return jc_header_lint_end(&lint);
}

jc_code jc_intake_check(struct jc_request *request, const char *version)
{
    const struct peer *peer = find_peer(request->connection);
    const char *reason = lint(request, peer, version);
    if (reason) {
        request->close = true;
        return jc_problem_set(&request->problem, JC_PROBLEM_AMBIGUOUS_REQUEST, NULL, "The request is refused: %s.",
                              reason);
    }
    /* Where a chunked body really ended cannot be seen: header_lint.h. */
    request->close = jc_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    request->path = peer->target.n_path ? request->path + peer->target.path_at : "/";
    return JC_OK;
}

jc_code jc_intake_admit(struct jc_request *request)
{
    struct jc_intake *intake = request->server->intake;
    const struct peer *peer = find_peer(request->connection);
    if (!peer->is_proxy || jc_networks_have(intake->proxies, &request->client))
        return JC_OK;
    request->is_counted = jc_address_counts_take(intake->counts, &request->client);
    if (request->is_counted)
        return JC_OK;
    return jc_connections_fail_limit(&request->problem);
}

void jc_intake_complete(struct jc_request *request, bool goes_on)
{
    if (request->is_counted)
        jc_address_counts_return(request->server->intake->counts, &request->client);
    if (goes_on && request->open)
        jc_connection_enter(request->open, JC_PHASE_IDLE);
}
