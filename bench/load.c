// The load generator. Prints one JSON object per run.
//   load unary  SOCKET METHOD MODEL CONNECTIONS REQUESTS      closed loop; METHOD Health or Chat
//   load stream SOCKET MODEL STREAMS                          StreamChat, one connection each; reads to the end
//   load direct PORT PATH STREAMS                             the same chunks read from the upstream itself
//   load http   PORT PATH CONNECTIONS REQUESTS                closed loop of HTTP posts
//   load cancel SOCKET MODEL PORT TRIES                       client closes -> upstream sees it closed (see upstream.c)
//   load hold   SOCKET MODEL STREAMS                          opens streams, prints "held", keeps them until stdin ends
//   load idle   SOCKET CONNECTIONS                            the same with silent connections
//   load start  SOCKET TRIES PROGRAM [ARGUMENT …]             starts the program, from fork to its first answered Health
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) { perror(what); exit(1); }

static int connect_unix(const char *path) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    return fd;
}

static int connect_tcp(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    return fd;
}

// ---- Protobuf and frames

static size_t put_bytes(uint8_t *out, int field, const void *bytes, size_t size) {
    size_t n = 0, rest = size;
    out[n++] = (uint8_t)(field << 3 | 2);
    while (rest >= 128) { out[n++] = (uint8_t)(rest | 128); rest >>= 7; }
    out[n++] = (uint8_t)rest;
    memcpy(out + n, bytes, size);
    return n + size;
}

// A ChatRequest: model (1), one user message (2: role 1, content 2).
static size_t chat_request(uint8_t *out, const char *model) {
    static const char text[] = "Say something about foxes and dogs, please, in one sentence.";
    uint8_t message[256];
    size_t size = 0;
    message[size++] = 1 << 3;
    message[size++] = 2;
    size += put_bytes(message + size, 2, text, sizeof text - 1);
    size_t n = put_bytes(out, 1, model, strlen(model));
    return n + put_bytes(out + n, 2, message, size);
}

static void put32(uint8_t *p, uint32_t v) { p[0] = v >> 24; p[1] = v >> 16; p[2] = v >> 8; p[3] = v; }
static uint32_t get32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static size_t request_frame(uint8_t *out, uint32_t id, const char *method, const char *model, int stream) {
    uint8_t payload[512];
    size_t size = strcmp(method, "Health") ? chat_request(payload, model) : 0;
    size_t n = 10;
    n += put_bytes(out + n, 1, "genwire.v1.Generation", 21);
    n += put_bytes(out + n, 2, method, strlen(method));
    n += put_bytes(out + n, 3, payload, size);
    put32(out, (uint32_t)(n - 10));
    put32(out + 4, id);
    out[8] = 1;
    out[9] = stream ? 1 : 0;
    return n;
}

// The status code inside a Response envelope; 0 for none.
static int status_of(const uint8_t *p, size_t size) {
    if (size > 3 && p[0] == 0x0a && p[1] > 1 && p[2] == 0x08) return p[3];
    return 0;
}

// ---- Samples

static double *samples;
static long sample_count, sample_capacity;

static void sample(double value) {
    if (sample_count == sample_capacity) samples = realloc(samples, sizeof *samples * (size_t)(sample_capacity = sample_capacity ? sample_capacity * 2 : 65536));
    samples[sample_count++] = value;
}

static int by_value(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static double percentile(double p) {
    if (!sample_count) return 0;
    long index = (long)(p * (double)(sample_count - 1));
    return samples[index];
}

static void print_samples(const char *unit) {
    qsort(samples, (size_t)sample_count, sizeof *samples, by_value);
    printf(",\"p50_%s\":%.1f,\"p90_%s\":%.1f,\"p99_%s\":%.1f,\"max_%s\":%.1f,\"samples\":%ld", unit, percentile(0.5), unit,
           percentile(0.9), unit, percentile(0.99), unit, percentile(1), sample_count);
}

// ---- Closed loops

struct peer {
    int fd;
    uint32_t id;
    uint64_t sent;
    size_t used;
    int open;
    uint8_t in[65536];
};

static struct peer *peers(int count, int epoll) {
    struct peer *all = calloc((size_t)count, sizeof *all);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        all[i].id = 1;
        all[i].open = 1;
        (void)epoll;
        (void)event;
    }
    return all;
}

static void watch(int epoll, struct peer *p) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event);
}

static void send_request(struct peer *p, const char *method, const char *model, int stream) {
    uint8_t frame[1024];
    size_t size = request_frame(frame, p->id, method, model, stream);
    p->id += 2;
    p->sent = now_ns();
    if (write(p->fd, frame, size) != (ssize_t)size) die("write");
}

static int unary(const char *path, const char *method, const char *model, int connections, long requests) {
    int epoll = epoll_create1(0);
    struct peer *all = peers(connections, epoll);
    long sent = 0, answered = 0, errors = 0;
    for (int i = 0; i < connections; i++) {
        all[i].fd = connect_unix(path);
        watch(epoll, &all[i]);
    }
    uint64_t from = now_ns();
    for (int i = 0; i < connections && sent < requests; i++, sent++) send_request(&all[i], method, model, 0);
    struct epoll_event events[256];
    while (answered < requests) {
        int count = epoll_wait(epoll, events, 256, 20000);
        if (count <= 0) { fprintf(stderr, "no answer for 20 s\n"); return 1; }
        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;
            ssize_t got = read(p->fd, p->in + p->used, sizeof p->in - p->used);
            if (got <= 0) die("read");
            p->used += (size_t)got;
            if (p->used < 10 || p->used < 10 + get32(p->in)) continue;
            if (status_of(p->in + 10, get32(p->in))) errors++;
            p->used = 0;
            answered++;
            sample((double)(now_ns() - p->sent) / 1000);
            if (sent < requests) { send_request(p, method, model, 0); sent++; }
        }
    }
    double seconds = (double)(now_ns() - from) / 1e9;
    printf("{\"requests_per_second\":%.0f,\"errors\":%ld", (double)requests / seconds, errors);
    print_samples("us");
    printf("}\n");
    return errors != 0;
}

static size_t http_request(char *out, const char *path) {
    static const char body[] = "{\"model\":\"bench\",\"messages\":[{\"role\":\"user\",\"content\":\"Say something about foxes and dogs, please, in one sentence.\"}]}";
    return (size_t)sprintf(out, "POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer bench\r\ncontent-length: %zu\r\n\r\n%s", path, sizeof body - 1, body);
}

static int http(int port, const char *path, int connections, long requests) {
    int epoll = epoll_create1(0);
    struct peer *all = peers(connections, epoll);
    char request[1024];
    size_t size = http_request(request, path);
    long sent = 0, answered = 0, errors = 0;
    for (int i = 0; i < connections; i++) { all[i].fd = connect_tcp(port); watch(epoll, &all[i]); }
    uint64_t from = now_ns();
    for (int i = 0; i < connections && sent < requests; i++, sent++)
        if (write(all[i].fd, request, size) != (ssize_t)size) die("write");
    struct epoll_event events[256];
    while (answered < requests) {
        int count = epoll_wait(epoll, events, 256, 20000);
        if (count <= 0) return 1;
        for (int i = 0; i < count; i++) {
            struct peer *p = events[i].data.ptr;
            ssize_t got = read(p->fd, p->in + p->used, sizeof p->in - 1 - p->used);
            if (got <= 0) die("read");
            p->used += (size_t)got;
            p->in[p->used] = 0;
            char *end = strstr((char *)p->in, "\r\n\r\n");
            char *length = end ? strcasestr((char *)p->in, "content-length:") : NULL;
            if (!length || p->used < (size_t)(end + 4 - (char *)p->in) + strtoul(length + 15, NULL, 10)) continue;
            if (strncmp((char *)p->in, "HTTP/1.1 200", 12)) errors++;
            p->used = 0;
            answered++;
            if (sent < requests) { sent++; if (write(p->fd, request, size) != (ssize_t)size) die("write"); }
        }
    }
    printf("{\"requests_per_second\":%.0f,\"errors\":%ld}\n", (double)requests / ((double)(now_ns() - from) / 1e9), errors);
    return errors != 0;
}

// ---- Streams

static long chunk_count;
// All streams are opened at once; the delays meanwhile are reported separately.
enum { OPENING_NS = 500000000 };
static uint64_t began;
static double opening_us;
// The largest delay after that, and when in the run it was.
static double largest_us, largest_at_ms;

// The scheduling delay of this program, measured with a timer of one millisecond. A longer delay than this cannot come
// from the load generator alone.
static int pulse = -1;
static uint64_t pulses;
static double lag_us, lag_at_ms;
enum { PULSE_NS = 1000000 };

static void start_pulse(int epoll) {
    pulse = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &pulse};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pulse, &event);
    uint64_t first = began + PULSE_NS;
    struct itimerspec every = {{0, PULSE_NS}, {(time_t)(first / 1000000000u), (long)(first % 1000000000u)}};
    timerfd_settime(pulse, TFD_TIMER_ABSTIME, &every, NULL);
}

static void pulsed(uint64_t now) {
    uint64_t times;
    if (read(pulse, &times, 8) != 8) return;
    uint64_t due = began + (pulses + 1) * PULSE_NS;
    pulses += times;
    if (now - began < OPENING_NS || now < due || (double)(now - due) / 1000 <= lag_us) return;
    lag_us = (double)(now - due) / 1000;
    lag_at_ms = (double)(now - began) / 1e6;
}

static void delay_of(const char *text, size_t size, uint64_t now) {
    char digits[32];
    if (size > 31) size = 31;
    memcpy(digits, text, size);
    digits[size] = 0;
    uint64_t sent = strtoull(digits, NULL, 10);
    if (sent <= 1000000000u || sent > now) return;
    double delay = (double)(now - sent) / 1000;
    if (now - began < OPENING_NS) {
        if (delay > opening_us) opening_us = delay;
        return;
    }
    if (delay > largest_us) { largest_us = delay; largest_at_ms = (double)(now - began) / 1e6; }
    sample(delay);
}

// A ChatChunk: seq (1, varint), text (2).
static void chunk(const uint8_t *p, size_t size, uint64_t now) {
    chunk_count++;
    size_t n = 0;
    if (n < size && p[n] == 0x08) { n++; while (n < size && p[n] & 128) n++; n++; }
    if (n + 1 < size && p[n] == 0x12 && p[n + 1] < 128) delay_of((const char *)p + n + 2, p[n + 1], now);
}

static int stream(const char *path, const char *model, int streams, int hold) {
    int epoll = epoll_create1(0);
    struct peer *all = peers(streams, epoll);
    for (int i = 0; i < streams; i++) { all[i].fd = connect_unix(path); watch(epoll, &all[i]); }
    uint64_t from = began = now_ns();
    for (int i = 0; i < streams; i++) send_request(&all[i], "StreamChat", model, 1);
    if (!hold) start_pulse(epoll);
    int open = streams, good = 0, begun = 0;
    struct epoll_event events[256];
    while (open > 0) {
        int count = epoll_wait(epoll, events, 256, 30000);
        if (count <= 0) { fprintf(stderr, "silence for 30 s with %d streams open\n", open); return 1; }
        uint64_t now = now_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &pulse) { pulsed(now); continue; }
            struct peer *p = events[i].data.ptr;
            ssize_t got = read(p->fd, p->in + p->used, sizeof p->in - p->used);
            if (got <= 0) { epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL); open--; continue; }
            p->used += (size_t)got;
            size_t at = 0;
            while (p->used - at >= 10 && p->used - at >= 10 + get32(p->in + at)) {
                uint8_t *frame = p->in + at;
                if (frame[8] == 3 && frame[9] & 1) { good++; open--; epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL); }
                else if (frame[8] == 3) { if (p->open) { p->open = 0; begun++; } chunk(frame + 10, get32(frame), now); }
                else { open--; epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL); }
                at += 10 + get32(frame);
            }
            memmove(p->in, p->in + at, p->used - at);
            p->used -= at;
        }
        if (hold && begun == streams) {
            printf("held\n");
            fflush(stdout);
            while (getchar() != EOF) { }
            return 0;
        }
    }
    double seconds = (double)(now_ns() - from) / 1e9;
    printf("{\"chunks_per_second\":%.0f,\"chunks\":%ld,\"streams\":%d,\"complete\":%d,\"max_at_ms\":%.0f,\"opening_us\":%.0f,\"lag_us\":%.0f,\"lag_at_ms\":%.0f", (double)chunk_count / seconds, chunk_count, streams, good, largest_at_ms, opening_us, lag_us, lag_at_ms);
    print_samples("us");
    printf("}\n");
    return good != streams;
}

static int direct(int port, const char *path, int streams) {
    int epoll = epoll_create1(0);
    struct peer *all = peers(streams, epoll);
    char request[1024];
    size_t size = http_request(request, path);
    for (int i = 0; i < streams; i++) { all[i].fd = connect_tcp(port); watch(epoll, &all[i]); }
    uint64_t from = began = now_ns();
    for (int i = 0; i < streams; i++) if (write(all[i].fd, request, size) != (ssize_t)size) die("write");
    start_pulse(epoll);
    int open = streams, good = 0;
    struct epoll_event events[256];
    while (open > 0) {
        int count = epoll_wait(epoll, events, 256, 30000);
        if (count <= 0) { fprintf(stderr, "silence for 30 s with %d streams open\n", open); return 1; }
        uint64_t now = now_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &pulse) { pulsed(now); continue; }
            struct peer *p = events[i].data.ptr;
            ssize_t got = read(p->fd, p->in + p->used, sizeof p->in - 1 - p->used);
            if (got <= 0) die("read");
            p->used += (size_t)got;
            p->in[p->used] = 0;
            // Whole lines only: the end of one may come with the next read.
            char *line = (char *)p->in, *end;
            while ((end = strchr(line, '\n'))) {
                *end = 0;
                char *text = strstr(line, "\"content\":\"");
                if (text) { chunk_count++; delay_of(text + 11, 20, now); }
                if (strstr(line, "[DONE]")) { open--; good++; epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL); }
                line = end + 1;
            }
            p->used -= (size_t)(line - (char *)p->in);
            memmove(p->in, line, p->used);
        }
    }
    printf("{\"chunks_per_second\":%.0f,\"chunks\":%ld,\"streams\":%d,\"complete\":%d,\"max_at_ms\":%.0f,\"opening_us\":%.0f,\"lag_us\":%.0f,\"lag_at_ms\":%.0f", (double)chunk_count / ((double)(now_ns() - from) / 1e9), chunk_count, streams, good, largest_at_ms, opening_us, lag_us, lag_at_ms);
    print_samples("us");
    printf("}\n");
    return good != streams;
}

// ---- Start-up

// Calls Health over a new connection; 0 if nothing listens yet.
static int is_answered(const char *path) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), answered = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (!connect(fd, (struct sockaddr *)&address, sizeof address)) {
        uint8_t frame[1024], in[4096];
        size_t size = request_frame(frame, 1, "Health", "", 0);
        answered = write(fd, frame, size) == (ssize_t)size && read(fd, in, sizeof in) > 10 && !status_of(in + 10, get32(in));
    }
    close(fd);
    return answered;
}

static int start(const char *path, int tries, char **program) {
    for (int i = 0; i < tries; i++) {
        uint64_t from = now_ns();
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            execv(program[0], program);
            _exit(127);
        }
        int isAlive = 1;
        while (!is_answered(path) && (isAlive = waitpid(child, NULL, WNOHANG) == 0) && now_ns() - from < 20000000000u) usleep(200);
        sample((double)(now_ns() - from) / 1000);
        if (isAlive) { kill(child, SIGTERM); waitpid(child, NULL, 0); }
        else { fprintf(stderr, "%s ended\n", program[0]); return 1; }
    }
    printf("{\"tries\":%d", tries);
    print_samples("us");
    printf("}\n");
    return 0;
}

// ---- Cancellation

static void stats(int port, long *closes, uint64_t *last) {
    int fd = connect_tcp(port);
    static const char request[] = "GET /stats HTTP/1.1\r\nhost: x\r\n\r\n";
    char answer[1024];
    if (write(fd, request, sizeof request - 1) < 0) die("write");
    ssize_t got = read(fd, answer, sizeof answer - 1);
    close(fd);
    if (got <= 0) die("stats");
    answer[got] = 0;
    char *p = strstr(answer, "\"closes\":"), *q = strstr(answer, "\"last_close_ns\":");
    if (!p || !q) die("stats");
    *closes = atol(p + 9);
    *last = strtoull(q + 16, NULL, 10);
}

static int cancel(const char *path, const char *model, int port, int tries) {
    for (int i = 0; i < tries; i++) {
        long before, after = 0;
        uint64_t last = 0;
        stats(port, &before, &last);
        struct peer *p = calloc(1, sizeof *p);
        p->id = 1;
        p->fd = connect_unix(path);
        send_request(p, "StreamChat", model, 1);
        if (read(p->fd, p->in, sizeof p->in) <= 0) die("read");
        usleep(2000);
        uint64_t closed = now_ns();
        close(p->fd);
        for (int wait = 0; wait < 2000; wait++) {
            usleep(500);
            stats(port, &after, &last);
            if (after > before) break;
        }
        if (after <= before) { fprintf(stderr, "the upstream connection stayed open\n"); return 1; }
        sample((double)(last - closed) / 1000);
        free(p);
    }
    printf("{\"tries\":%d", tries);
    print_samples("us");
    printf("}\n");
    return 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "unary") && argc == 7) return unary(argv[2], argv[3], argv[4], atoi(argv[5]), atol(argv[6]));
    if (!strcmp(mode, "stream") && argc == 5) return stream(argv[2], argv[3], atoi(argv[4]), 0);
    if (!strcmp(mode, "hold") && argc == 5) return stream(argv[2], argv[3], atoi(argv[4]), 1);
    if (!strcmp(mode, "direct") && argc == 5) return direct(atoi(argv[2]), argv[3], atoi(argv[4]));
    if (!strcmp(mode, "http") && argc == 6) return http(atoi(argv[2]), argv[3], atoi(argv[4]), atol(argv[5]));
    if (!strcmp(mode, "cancel") && argc == 6) return cancel(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
    if (!strcmp(mode, "start") && argc >= 5) return start(argv[2], atoi(argv[3]), argv + 4);
    if (!strcmp(mode, "idle") && argc == 4) {
        int count = atoi(argv[3]);
        for (int i = 0; i < count; i++) connect_unix(argv[2]);
        printf("held\n");
        fflush(stdout);
        while (getchar() != EOF) { }
        return 0;
    }
    fprintf(stderr, "see the comment at the top of load.c\n");
    return 64;
}
