// libmicrohttpd's start call is variadic in C, which Swift cannot call.
#pragma once

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

// Leaves addresses as they were sent: a `/` inside a segment must not become one between two.
static inline size_t gw_mhd_keep(void *user, struct MHD_Connection *connection, char *text) {
    (void)user;
    (void)connection;
    return strlen(text);
}

// A daemon without a thread of its own: its epoll descriptor says when to call MHD_run. It listens on `listener`, which
// becomes its own, or on a port of 127.0.0.1 where `listener` is negative. 0 seconds: idle connections stay.
static inline struct MHD_Daemon *gw_mhd_start(int listener, uint16_t port, unsigned connections, size_t memory,
                                              unsigned idle_seconds, MHD_AccessHandlerCallback handler,
                                              MHD_RequestCompletedCallback completed,
                                              MHD_NotifyConnectionCallback connection, void *user) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_OptionItem place[] = {{MHD_OPTION_SOCK_ADDR, 0, &address}, {MHD_OPTION_END, 0, NULL}};
    if (listener >= 0) place[0] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, listener, NULL};
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, port, NULL, NULL, handler, user,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, user, MHD_OPTION_NOTIFY_CONNECTION, connection,
                            user, MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_UNESCAPE_CALLBACK, &gw_mhd_keep,
                            NULL, MHD_OPTION_ARRAY, place, MHD_OPTION_END);
}

static inline int gw_mhd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

static inline uint16_t gw_mhd_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

static const ssize_t gw_mhd_end_of_stream = (ssize_t)-1;
static const ssize_t gw_mhd_end_with_error = (ssize_t)-2;
static const uint64_t gw_mhd_size_unknown = UINT64_MAX;

// libmicrohttpd closes its enums, for which Swift makes up case names; these keep C's meaning in sight.
static const enum MHD_Result gw_mhd_yes = MHD_YES;
static const enum MHD_Result gw_mhd_no = MHD_NO;
static inline bool gw_mhd_is_completed_ok(enum MHD_RequestTerminationCode code) {
    return code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
}
static inline bool gw_mhd_is_started(enum MHD_ConnectionNotificationCode code) {
    return code == MHD_CONNECTION_NOTIFY_STARTED;
}
static inline void gw_mhd_headers(struct MHD_Connection *connection, MHD_KeyValueIterator iterator, void *user) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, iterator, user);
}
static inline void gw_mhd_arguments(struct MHD_Connection *connection, MHD_KeyValueIterator iterator, void *user) {
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, iterator, user);
}
static inline struct MHD_Response *gw_mhd_response(const void *bytes, size_t size) {
    return MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}
// The connection's socket, or -1.
static inline int gw_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}
