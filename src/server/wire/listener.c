/* Sockets that are listened on, and the daemon behind them. See listener.h. */
#include "server/wire/listener.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "server/server.h"
#include "server/wire/acceptor.h"
#include "server/wire/http.h"
#include "server/wire/intake.h"
#include "server/wire/tls.h"

/* A connection's memory: a request line with its headers, or a piece of a body, fits. libmicrohttpd zeroes it for every
 * request: its default of 32 KiB is felt, and no query needs it. */
#define CONNECTION_BYTES (16 * 1024)

/* The first complaint of this thread: why a daemon did not start. Those behind it say only that it did not. */
static _Thread_local char complaint[512];

/* What an event thread says where it has no memory for a new connection, and closes it without a notification. The
 * thread that adds connections says the same, and learns it from the call's result. */
static const char no_memory[] = "Error allocating memory";
static _Thread_local bool is_adding;

/* What it says where it answers a request by itself, which its application never sees; the status is the first argument. */
static const char refused[] = "Error processing request (HTTP response code is %u";

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What libmicrohttpd tells nobody otherwise. */
static void take_notice(const struct jc_listener *listener, const char *fmt, va_list args)
{
    if (!is_adding && begins_with(fmt, no_memory))
        jc_acceptor_closed(listener->acceptor);
    else if (begins_with(fmt, refused))
        jc_metrics_request_unread(listener->server->metrics, (int)va_arg(args, unsigned));
}

/* libmicrohttpd's own complaints are about clients (resets, garbage): debug level. The context is a listener, or NULL. */
static void JC_PRINTF(2, 0) log_daemon(void *context, const char *fmt, va_list args)
{
    va_list notice;
    va_copy(notice, args);
    if (context)
        take_notice(context, fmt, notice);
    va_end(notice);
    char text[sizeof complaint];
    vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\r\n")] = '\0';
    if (!complaint[0])
        memcpy(complaint, text, sizeof text);
    jc_log(JC_LOG_DEBUG, "http", "detail", text, NULL);
}

/* A listening socket on the first usable address of `address`. */
static jc_code open_listener(const struct jc_listener *listener, int *ret_fd, struct jc_err *err)
{
    const char *address = listener->address;
    unsigned port = listener->port;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    int error = getaddrinfo(address, service, &hints, &found);
    if (error)
        return jc_fail(err, JC_E_INVALID, "%s.address '%s': %s", listener->key, address, gai_strerror(error));

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

static jc_code fail_tls(const struct jc_server_config *config, struct jc_err *err)
{
    return jc_fail(err, JC_E_INVALID, "start TLS with tls.certificate '%s' and tls.key '%s': %s",
                   config->tls.certificate, config->tls.key, complaint);
}

static jc_code fail_start(const struct jc_listener *listener, struct jc_err *err)
{
    if (listener->server->tls)
        return fail_tls(listener->server->config, err);
    return jc_fail(err, JC_E_IO, "start the HTTP threads on %s port %u: %s", listener->address, listener->port,
                   complaint);
}

jc_code jc_listener_check_tls(const struct jc_server_config *config, const struct jc_tls *tls, struct jc_err *err)
{
    unsigned flags = MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[4];
    jc_code code = add_tls(tls, &flags, options, err);
    if (code)
        return code;
    complaint[0] = '\0';
    struct MHD_Daemon *daemon = MHD_start_daemon(flags, 0, NULL, NULL, jc_http_access, NULL, MHD_OPTION_EXTERNAL_LOGGER,
                                                 log_daemon, NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!daemon)
        return fail_tls(config, err);
    MHD_stop_daemon(daemon);
    return JC_OK;
}

static bool add_connection(void *context, int fd, const struct sockaddr *address, socklen_t n_address)
{
    const struct jc_listener *listener = context;
    is_adding = true;
    bool added = MHD_add_connection(listener->daemon, fd, address, n_address) == MHD_YES; /* or closes it */
    is_adding = false;
    return added;
}

/* A closed connection's descriptor is closed in a moment. */
static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    const struct jc_listener *listener = context;
    jc_intake_notify(listener->server->intake, connection, socket_context, code);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        jc_acceptor_closed(listener->acceptor);
}

/*
 * The acceptor bounds what is open. libmicrohttpd's own limit must never be met: it is divided among the threads, a
 * connection's thread follows from its descriptor, and a thread that is over its share closes the connection and goes on
 * with a lock that it never gives back. So each may hold all, and one that it has not yet finished closing.
 */
static unsigned daemon_limit(const struct jc_listener *listener)
{
    return (listener->connections + 1) * listener->threads;
}

static jc_code start_daemon(struct jc_listener *listener, struct jc_err *err)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[4];
    jc_code code = add_tls(listener->server->tls, &flags, tls, err);
    if (code)
        return code;
    complaint[0] = '\0';
    /* The logger comes first: only then do later options' complaints go there. */
    listener->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, jc_http_access, listener, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, listener,
        MHD_OPTION_NOTIFY_COMPLETED, jc_http_complete, listener, MHD_OPTION_NOTIFY_CONNECTION, note_connection,
        listener, MHD_OPTION_URI_LOG_CALLBACK, jc_intake_target, listener->server->intake,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        daemon_limit(listener), MHD_OPTION_ARRAY, tls,
        listener->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, listener->threads, MHD_OPTION_END);
    return listener->daemon ? JC_OK : fail_start(listener, err);
}

jc_code jc_listener_start(struct jc_listener *listener, struct jc_err *err)
{
    JC_AUTO_FD int fd = -1;
    jc_code code = open_listener(listener, &fd, err);
    if (code)
        return code;
    listener->port = bound_port(fd);
    const struct jc_acceptor_options options = {
        .fd = fd, .most_open = listener->connections, .take = add_connection, .context = listener};
    if ((code = jc_acceptor_create(&options, &listener->acceptor, err)))
        return code;
    fd = -1; /* the acceptor's now */
    code = start_daemon(listener, err);
    return code ? code : jc_acceptor_start(listener->acceptor, err);
}

size_t jc_listener_open(const struct jc_listener *listener)
{
    return listener->acceptor ? jc_acceptor_open(listener->acceptor) : 0;
}

void jc_listener_stop_accepting(struct jc_listener *listener)
{
    if (listener->acceptor)
        jc_acceptor_stop(listener->acceptor);
}

void jc_listener_stop(struct jc_listener *listener)
{
    jc_listener_stop_accepting(listener);
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    listener->daemon = NULL;
    jc_acceptor_destroy(TAKE(listener->acceptor)); /* behind the daemon, which tells it of closed connections */
}
