// The upper bound to compare with: a bare epoll server with just enough ttrpc to answer every request with the
// same frame. Usage: echo SOCKET THREADS
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A Response envelope around a Health response of the usual size: status, payload{status, version, uptime}.
static const uint8_t answer[] = {0x0a, 0x00, 0x12, 0x1a, 0x0a, 0x07, 's', 'e', 'r', 'v', 'i', 'n', 'g', 0x12, 0x05,
                                 '0',  '.',  '1',  '.',  '0',  0x19, 0,   0,   0,   0,   0,   0,   0,    0};
static int epolls[64];
static int threads = 2;

struct connection {
    int fd;
    size_t used;
    uint8_t buffer[65536];
};

static uint32_t big(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static void serve(struct connection *c) {
    ssize_t count = read(c->fd, c->buffer + c->used, sizeof c->buffer - c->used);
    if (count <= 0) {
        close(c->fd);
        free(c);
        return;
    }
    c->used += (size_t)count;
    size_t position = 0, out = 0;
    static __thread uint8_t output[65536];
    while (c->used - position >= 10) {
        uint32_t length = big(c->buffer + position);
        if (c->used - position < 10 + length) break;
        uint8_t *frame = output + out;
        frame[0] = frame[1] = frame[2] = 0;
        frame[3] = sizeof answer;
        memcpy(frame + 4, c->buffer + position + 4, 4);
        frame[8] = 2;
        frame[9] = 0;
        memcpy(frame + 10, answer, sizeof answer);
        out += 10 + sizeof answer;
        position += 10 + length;
        if (out > sizeof output - 128) break;
    }
    memmove(c->buffer, c->buffer + position, c->used - position);
    c->used -= position;
    if (out && write(c->fd, output, out) < 0) perror("write");
}

static void *loop(void *argument) {
    int epoll = *(int *)argument;
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) serve(events[i].data.ptr);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 2) return 64;
    if (argc > 2) threads = atoi(argv[2]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    unlink(argv[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return perror("bind"), 1;
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        epolls[i] = epoll_create1(0);
        pthread_create(&thread, NULL, loop, &epolls[i]);
    }
    fprintf(stderr, "ready\n");
    for (int next = 0;; next = (next + 1) % threads) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) continue;
        struct connection *c = malloc(sizeof *c);
        c->fd = fd;
        c->used = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epolls[next], EPOLL_CTL_ADD, fd, &event);
    }
}
