#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int gw_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int op, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, op, fd, &event);
}

int gw_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int gw_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int gw_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int gw_epoll_poll(int epoll, gw_epoll_event *out, int capacity, int wait_ms) {
    struct epoll_event events[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(epoll, events, capacity, wait_ms);
    for (int i = 0; i < count; i++) {
        out[i].token = events[i].data.u64;
        out[i].events = events[i].events;
    }
    return count;
}

int gw_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int gw_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int gw_timerfd_set(int fd, uint64_t deadline_ns) {
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(deadline_ns / 1000000000u), .tv_nsec = (long)(deadline_ns % 1000000000u)}};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

uint64_t gw_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int gw_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int gw_peer_credentials(int fd, uid_t *uid, gid_t *gid, pid_t *pid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    int domain = 0;
    socklen_t domain_length = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_length) != 0) return -1;
    if (domain != AF_UNIX) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *uid = credentials.uid;
    *gid = credentials.gid;
    *pid = credentials.pid;
    return 0;
}

int gw_peer_groups(int fd, gid_t *groups, int capacity) {
    socklen_t length = (socklen_t)capacity * sizeof *groups;
    // With ERANGE the kernel reports the size that it needs.
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0 && errno != ERANGE) return -1;
    return (int)(length / sizeof *groups);
}

int gw_tcp_keepalive(int fd, int idle_s, int interval_s, int timeout_s) {
    int one = 1;
    int timeout_ms = timeout_s * 1000;
    int failed = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    failed |= setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    failed |= setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    // Takes precedence over TCP_KEEPCNT, and applies to unacknowledged data too.
    failed |= setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return failed;
}

int gw_tcp_was_delivered(int fd, uint32_t *shortest_round_trip_us) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    *shortest_round_trip_us = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 1;
    // The kernel uses UINT32_MAX for "not measured yet".
    if (info.tcpi_min_rtt != UINT32_MAX) *shortest_round_trip_us = info.tcpi_min_rtt;
    // A peer that closed in an orderly way leaves CLOSE_WAIT; a reset leaves CLOSE.
    enum { tcp_close = 7 };  // <netinet/tcp.h> has the name, and its own older tcp_info
    if (info.tcpi_state == tcp_close) return 0;
    // The acknowledged bytes include the connection's SYN.
    return info.tcpi_notsent_bytes == 0 && info.tcpi_bytes_acked >= info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
}

int gw_disable_core_dumps(void) {
    struct rlimit none = {0, 0};
    int limited = setrlimit(RLIMIT_CORE, &none);
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? limited : -1;
}

int gw_open_standard_descriptors(void) {
    for (;;) {
        int fd = open("/dev/null", O_RDWR);
        if (fd < 0) return -1;
        if (fd > STDERR_FILENO) return close(fd);
    }
}

int gw_close_on_exec_from(unsigned first) { return close_range(first, ~0U, CLOSE_RANGE_CLOEXEC); }

int gw_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int gw_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
