/* Sockets that are listened on, and the daemon behind them. See listener.h. */
#include "server/wire/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "server/server.h"
#include "server/wire/http.h"
#include "server/wire/intake.h"
#include "server/wire/tls.h"

/* A connection's memory: a request line with its headers, or a piece of a body, fits. libmicrohttpd zeroes it for every
 * request: its default of 32 KiB is felt, and no query needs it. */
#define CONNECTION_BYTES (16 * 1024)

/* The first complaint of this thread: why a daemon did not start. Those behind it say only that it did not. */
static _Thread_local char complaint[512];

/* What libmicrohttpd says where accept finds no descriptor or memory and this thread has no connection whose end would
 * free some. It then calls accept again at once, for ever: its word is the only place to slow it down. The process has
 * descriptors for all of its connections (descriptors.h), so it is the system that is short, or the limit was lowered. */
static const char no_resources[] = "Hit process or system resource limit at FIRST connection";
#define NO_RESOURCES_NS (20 * 1000 * 1000)

/* libmicrohttpd's own complaints are about clients (resets, garbage): debug level. */
static void JC_PRINTF(2, 0) log_daemon(void *context, const char *fmt, va_list args)
{
    (void)context;
    if (strncmp(fmt, no_resources, sizeof no_resources - 1) == 0)
        nanosleep(&(struct timespec){.tv_nsec = NO_RESOURCES_NS}, NULL);
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

jc_code jc_listener_start(struct jc_listener *listener, struct jc_err *err)
{
    struct jc_intake *intake = listener->server->intake;
    JC_AUTO_FD int fd = -1;
    jc_code code = open_listener(listener, &fd, err);
    if (code)
        return code;
    listener->port = bound_port(fd);

    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[4];
    if ((code = add_tls(listener->server->tls, &flags, tls, err)))
        return code;
    complaint[0] = '\0';
    /* The logger comes first: only then do later options' complaints go there. */
    listener->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, jc_http_access, listener, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, jc_http_complete, listener,
        MHD_OPTION_NOTIFY_CONNECTION, jc_intake_notify, intake, MHD_OPTION_URI_LOG_CALLBACK, jc_intake_target, intake,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        listener->connections, MHD_OPTION_ARRAY, tls,
        listener->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, listener->threads, MHD_OPTION_END);
    if (!listener->daemon)
        return fail_start(listener, err);
    fd = -1; /* the daemon's now */
    return JC_OK;
}

/* Gives the daemon the connections that wait to be accepted: their clients think them open and may have sent a request,
 * which the end of the listening socket would answer with a reset. At most a queue's length: more may come meanwhile. */
static void take_waiting(struct jc_listener *listener)
{
    for (int i = 0; i < SOMAXCONN; i++) {
        struct sockaddr_storage address;
        socklen_t n = sizeof address;
        int fd = accept4(listener->quiesced_fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            (void)MHD_add_connection(listener->daemon, fd, (struct sockaddr *)&address, n); /* or closes it */
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

void jc_listener_stop_accepting(struct jc_listener *listener)
{
    listener->quiesced_fd = listener->daemon ? MHD_quiesce_daemon(listener->daemon) : -1;
    if (listener->quiesced_fd < 0)
        return;
    take_waiting(listener);
    /* Shut down, not closed: an event thread may still use the descriptor until the daemon has stopped. */
    shutdown(listener->quiesced_fd, SHUT_RDWR);
}

void jc_listener_stop(struct jc_listener *listener)
{
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    listener->daemon = NULL;
    if (listener->quiesced_fd >= 0)
        close(listener->quiesced_fd);
    listener->quiesced_fd = -1;
}
