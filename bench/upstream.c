// A vendor with negligible cost: canned chat completions over HTTP/1.1 on loopback.
// Usage: upstream PORT [CERTIFICATE KEY]; with these, PEM files, it listens with TLS on a second port too.
// Paths: /unary/…            one response of about 450 bytes
//        /full/N/…           N chunks at full speed; /full-claude/N/… and /full-gemini/N/… in those forms
//        /paced/RATE/SECONDS/…  RATE chunks per second, each with CLOCK_MONOTONIC in its text
//        /hang/…             one chunk, then nothing until the client disconnects
//        /stats              {"closes": how many streams were closed by the client, "last_close_ns": when}
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum mode { IDLE, FULL, PACED, HANG };

struct connection {
    int fd;
    SSL *ssl;          // or NULL
    enum mode mode;
    size_t used;       // bytes of the request so far
    char in[16384];
    long left;         // chunks to send
    const struct dialect *dialect;
    size_t offset;     // bytes of the current block that are out
    int slot;          // of the pacing wheel
    int period;        // milliseconds between chunks
    struct connection *next, *previous;
};

static int epoll, timer = -1;
static struct connection *wheel[1000];
static long paced, tick, closes, assigned;
static uint64_t last_close;

// How a vendor writes a stream: what precedes the chunks, one chunk with its text, what follows them.
struct dialect {
    const char *path, *start, *chunk, *end;
    char block[1 << 16];  // many chunks, framed
    size_t block_size;
    int block_chunks;
};

static struct dialect dialects[] = {
    {.path = "/full/",
     .start = "",
     .chunk = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
              "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
     .end = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"
            "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":"
            "\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
            "\"completion_tokens\":9,\"total_tokens\":18}}\n\ndata: [DONE]\n\n"},
    {.path = "/full-claude/",
     .start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_vrtx_1\",\"type\":\"message\","
              "\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":9,"
              "\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
              "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
     .chunk = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
              "\"text_delta\",\"text\":\"%s\"}      }\n\n",
     .end = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: "
            "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":"
            "{\"output_tokens\":9}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
    {.path = "/full-gemini/",
     .start = "",
     .chunk = "data: {\"candidates\": [{\"content\": {\"role\": \"model\",\"parts\": [{\"text\": \"%s\"}]}}],"
              "\"usageMetadata\": {\"trafficType\": \"ON_DEMAND\"},\"modelVersion\": \"m\",\"createTime\": "
              "\"2026-01-01T00:00:00.000000Z\",\"responseId\": \"r1\"}\r\n\r\n",
     .end = "data: {\"candidates\": [{\"content\": {\"role\": \"model\",\"parts\": [{\"text\": \"\"}]},\"finishReason\": "
            "\"STOP\"}],\"usageMetadata\": {\"promptTokenCount\": 9,\"candidatesTokenCount\": 9,\"totalTokenCount\": 18},"
            "\"modelVersion\": \"m\",\"responseId\": \"r1\"}\r\n\r\n"},
};
enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const char head_stream[] =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

static int framed(char *out, const char *bytes, size_t size) {
    if (size == 0) return 0;
    int head = sprintf(out, "%zx\r\n", size);
    memcpy(out + head, bytes, size);
    memcpy(out + head + size, "\r\n", 2);
    return head + (int)size + 2;
}

static int chunk(const struct dialect *d, char *out, const char *text) {
    char event[512];
    int size = snprintf(event, sizeof event, d->chunk, text);
    return framed(out, event, (size_t)size);
}

static void unlink_paced(struct connection *c) {
    if (c->previous) c->previous->next = c->next; else wheel[c->slot] = c->next;
    if (c->next) c->next->previous = c->previous;
    if (--paced == 0) {
        struct itimerspec off = {0};
        timerfd_settime(timer, 0, &off, NULL);
    }
}

static void drop(struct connection *c) {
    if (c->mode != IDLE) {
        closes++;
        last_close = now_ns();
    }
    if (c->mode == PACED) unlink_paced(c);
    if (c->ssl) SSL_free(c->ssl);
    close(c->fd);
    free(c);
}

static int send_all(struct connection *c, const char *bytes, size_t size) {
    // Small writes to a fresh socket buffer: a short write means an unusable peer.
    if (c->ssl) return SSL_write(c->ssl, bytes, (int)size) == (int)size;
    return send(c->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void finish_stream(struct connection *c) {
    char out[2048];
    int size = framed(out, c->dialect->end, strlen(c->dialect->end));
    size += sprintf(out + size, "0\r\n\r\n");
    send_all(c, out, (size_t)size);
    c->mode = IDLE;
}

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

// Writes blocks of chunks until the socket is full.
static void push_full(struct connection *c) {
    while (c->left > 0) {
        const struct dialect *d = c->dialect;
        ssize_t count = send(c->fd, d->block + c->offset, d->block_size - c->offset, MSG_NOSIGNAL);
        if (count < 0) return watch(c, EPOLLIN | EPOLLOUT);
        c->offset += (size_t)count;
        if (c->offset < d->block_size) return watch(c, EPOLLIN | EPOLLOUT);
        c->offset = 0;
        c->left -= d->block_chunks;
    }
    finish_stream(c);
    watch(c, EPOLLIN);
}

static void answer(struct connection *c, const char *path) {
    char out[2048], body[1024];
    c->dialect = &dialects[0];
    for (struct dialect *d = dialects; d < dialects + DIALECTS; d++) {
        if (strncmp(path, d->path, strlen(d->path))) continue;
        c->dialect = d;
        c->left = atol(path + strlen(d->path));
        c->offset = 0;
        c->mode = FULL;
        send_all(c, head_stream, sizeof head_stream - 1);
        send_all(c, out, (size_t)framed(out, d->start, strlen(d->start)));
        return push_full(c);
    }
    if (!strncmp(path, "/paced/", 7)) {
        int rate = atoi(path + 7);
        const char *slash = strchr(path + 7, '/');
        c->period = 1000 / (rate > 0 ? rate : 1);
        c->left = (long)rate * (slash ? atoi(slash + 1) : 1);
        c->mode = PACED;
        // Spread over the period, as independent callers are.
        c->slot = (int)((tick + assigned++) % c->period);
        c->previous = NULL;
        c->next = wheel[c->slot];
        if (c->next) c->next->previous = c;
        wheel[c->slot] = c;
        send_all(c, head_stream, sizeof head_stream - 1);
        if (paced++ == 0) {
            struct itimerspec every = {{0, 1000000}, {0, 1000000}};
            timerfd_settime(timer, 0, &every, NULL);
        }
    } else if (!strncmp(path, "/hang/", 6)) {
        c->mode = HANG;
        int size = sprintf(out, "%s", head_stream);
        size += chunk(c->dialect, out + size, "hello");
        send_all(c, out, (size_t)size);
    } else {
        int length;
        if (!strncmp(path, "/stats", 6))
            length = sprintf(body, "{\"closes\":%ld,\"last_close_ns\":%lu}", closes, last_close);
        else
            length = sprintf(body,
                "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1764000000,\"model\":\"gpt-4o-mini\","
                "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick brown fox jumps over "
                "the lazy dog, and then it does so again.\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":17,\"total_tokens\":29,\"prompt_tokens_details\":"
                "{\"cached_tokens\":0}},\"system_fingerprint\":\"fp_0\"}");
        int size = sprintf(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
                           length, body);
        send_all(c, out, (size_t)size);
    }
}

static ssize_t receive(struct connection *c, char *bytes, size_t size) {
    if (!c->ssl) return read(c->fd, bytes, size);
    // What another connection left in OpenSSL's queue of errors would be taken for this one's.
    ERR_clear_error();
    int count = SSL_read(c->ssl, bytes, (int)size);
    if (count > 0) return count;
    errno = EAGAIN;
    return SSL_get_error(c->ssl, count) == SSL_ERROR_WANT_READ ? -1 : 0;
}

static void requests(struct connection *c) {
    // With TLS, read until nothing is left: epoll does not report data in OpenSSL's buffer.
    for (;;) {
        ssize_t count = receive(c, c->in + c->used, sizeof c->in - 1 - c->used);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return drop(c);
        c->used += (size_t)count;
        c->in[c->used] = 0;
        char *end;
        while ((end = strstr(c->in, "\r\n\r\n"))) {
            char *length = strcasestr(c->in, "content-length:");
            size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
            size_t total = (size_t)(end - c->in) + 4 + body;
            if (c->used < total) break;
            char *path = strchr(c->in, ' ');
            if (path && c->mode == IDLE) answer(c, path + 1);
            memmove(c->in, c->in + total, c->used - total + 1);
            c->used -= total;
        }
        if (!c->ssl) return;
    }
}

static void ticked(void) {
    uint64_t times;
    if (read(timer, &times, 8) != 8) return;
    for (uint64_t i = 0; i < times; i++, tick++) {
        // All periods here are equal in one run, so one wheel of that period serves.
        for (int slot = 0; slot < 1000; slot++) {
            struct connection *c = wheel[slot];
            if (!c || tick % c->period != slot) continue;
            while (c) {
                struct connection *next = c->next;
                char out[1024], text[32];
                snprintf(text, sizeof text, "%lu ", now_ns());
                send_all(c, out, (size_t)chunk(c->dialect, out, text));
                if (--c->left == 0) {
                    unlink_paced(c);
                    finish_stream(c);
                }
                c = next;
            }
        }
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) perror("bind"), exit(1);
    return listener;
}

static int port_of(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void accept_all(int listener, SSL_CTX *context) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        if (context) {
            c->ssl = SSL_new(context);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
        }
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void watch_for(int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    for (struct dialect *d = dialects; d < dialects + DIALECTS; d++) {
        while (d->block_size < sizeof d->block - 1024) {
            d->block_size += (size_t)chunk(d, d->block + d->block_size, " token");
            d->block_chunks++;
        }
    }
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch_for(timer, &timer);
    int plain = listen_on(argc > 1 ? atoi(argv[1]) : 0), secure = -1;
    watch_for(plain, &plain);
    SSL_CTX *context = NULL;
    if (argc > 3) {
        context = SSL_CTX_new(TLS_server_method());
        if (!context || SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
            return fprintf(stderr, "cannot use %s and %s\n", argv[2], argv[3]), 1;
        secure = listen_on(0);
        watch_for(secure, &secure);
    }
    fprintf(stderr, "ready %d %d\n", port_of(plain), secure < 0 ? 0 : port_of(secure));
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            void *what = events[i].data.ptr;
            if (what == &plain) accept_all(plain, NULL);
            else if (what == &secure) accept_all(secure, context);
            else if (what == &timer) ticked();
            else {
                struct connection *c = what;
                if (events[i].events & EPOLLOUT && c->mode == FULL) push_full(c);
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) requests(c);
            }
        }
    }
}
