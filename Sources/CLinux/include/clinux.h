// What glibc offers and Swift's Glibc module does not show: epoll, timerfd, eventfd, accept4, peer credentials, pipe2.
#pragma once

#include <stdbool.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

// One readiness report, in plain fields: the kernel's own struct is packed, which Swift imports badly.
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
// The kernel's word on who called connect(); returns -1 where the socket is not a Unix one.
int gw_peer_credentials(int fd, uid_t *uid, gid_t *gid, pid_t *pid);
// The supplementary groups that the peer of a Unix socket had when it called connect(). Returns how many there are, -1
// on an error; nothing is written where `capacity` is less.
int gw_peer_groups(int fd, gid_t *groups, int capacity);
// Sends probes over an idle TCP connection and ends one whose peer has not acknowledged anything for `timeout_s`.
int gw_tcp_keepalive(int fd, int idle_s, int interval_s, int timeout_s);
// Whether the peer of a TCP socket has acknowledged all that was written, and has not reset the connection; 1 where the
// kernel does not say. The shortest round trip seen so far is in microseconds; 0 where it is not known.
int gw_tcp_was_delivered(int fd, uint32_t *shortest_round_trip_us);
// No core dump may carry a secret, and no other process of the same user may read this one's memory. RLIMIT_CORE alone
// does not keep the kernel from piping a dump to a program (core(5)). /proc/PID belongs to root from then on: its `fd`,
// `maps` and `smaps` are closed to the user's other processes; `stat`, `statm` and `status` stay open.
int gw_disable_core_dumps(void);
// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed, so that no socket gets one of these numbers.
int gw_open_standard_descriptors(void);
// Marks every open descriptor from `first` on close-on-exec. Needs Linux 5.11; -1 with `errno` before it.
int gw_close_on_exec_from(unsigned first);
// pipe2 with O_CLOEXEC: ends[0] is for reading.
int gw_pipe(int ends[2]);
// The child of posix_spawn closes every descriptor from `first` on, after the actions before this one. An errno value.
int gw_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
