// glibc functions missing from Swift's Glibc module: epoll, timerfd, eventfd, accept4, peer credentials, pipe2.
#pragma once

#include <stdbool.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

// A readiness report with plain fields, because the kernel's struct is packed, which Swift does not import well.
typedef struct {
    uint64_t token;
    uint32_t events;
} gw_epoll_event;

#define GW_EPOLLIN 0x001u
#define GW_EPOLLOUT 0x004u
#define GW_EPOLLERR 0x008u
#define GW_EPOLLHUP 0x010u
#define GW_EPOLLRDHUP 0x2000u

int gw_epoll_create(void);
int gw_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int gw_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int gw_epoll_remove(int epoll, int fd);
// Waits for at most `wait_ms`. `capacity` is at most 256.
int gw_epoll_poll(int epoll, gw_epoll_event *out, int capacity, int wait_ms);

int gw_eventfd(void);
int gw_timerfd(void);
// Arms for an absolute CLOCK_MONOTONIC instant in nanoseconds; 0 disarms.
int gw_timerfd_set(int fd, uint64_t deadline_ns);
uint64_t gw_monotonic_ns(void);

// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC.
int gw_accept(int listener);
// The credentials of the process that called connect(), as reported by the kernel; -1 if it is not a Unix socket.
int gw_peer_credentials(int fd, uid_t *uid, gid_t *gid, pid_t *pid);
// The supplementary groups that the peer of a Unix socket had when it called connect(). Returns their number, or -1 on
// an error; writes nothing if `capacity` is smaller.
int gw_peer_groups(int fd, gid_t *groups, int capacity);
// Probes an idle TCP connection, and closes one whose peer has acknowledged nothing for `timeout_s`.
int gw_tcp_keepalive(int fd, int idle_s, int interval_s, int timeout_s);
// Whether the peer of a TCP socket has acknowledged all data and has not reset the connection; 1 if the kernel does
// not report it. Also returns the shortest round trip so far, in microseconds; 0 if unknown.
int gw_tcp_was_delivered(int fd, uint32_t *shortest_round_trip_us);
// Prevents core dumps, which may contain secrets, and prevents other processes of the same user from reading this
// process's memory. RLIMIT_CORE alone does not prevent the kernel from piping a dump to a program (core(5)). From then
// on /proc/PID belongs to root: the user's other processes cannot read `fd`, `maps` and `smaps`, but still `stat`,
// `statm` and `status`.
int gw_disable_core_dumps(void);
// Opens /dev/null for each closed descriptor of 0, 1 and 2, so that no socket gets one of these numbers.
int gw_open_standard_descriptors(void);
// Marks every open descriptor from `first` on as close-on-exec. Requires Linux 5.11; earlier -1 with `errno`.
int gw_close_on_exec_from(unsigned first);
// pipe2 with O_CLOEXEC: ends[0] is the read end.
int gw_pipe(int ends[2]);
// Adds an action: the child of posix_spawn closes every descriptor from `first` on. Returns an errno value.
int gw_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
