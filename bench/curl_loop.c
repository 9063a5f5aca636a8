// The reference for the upstream side: a bare libcurl multi loop on epoll.
// Usage: curl_loop URL REQUESTS IN_FLIGHT [stream]; of streams it reads the events and their JSON (sse_json.cpp).
// Prints {"requests_per_second", "cpu_us_per_request", "chunks_per_second"}.
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

static const char body[] = "{\"model\":\"bench\",\"messages\":[{\"role\":\"user\",\"content\":\"Say something about foxes and dogs, please, in one sentence.\"}]}";
static CURLM *multi;
static int epoll, running;
static long timeout_ms = -1, left, done, chunks;
static struct curl_slist *headers;
static const char *url;
static int is_stream;

long sse_json_consume(const char *bytes, size_t size);

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
    (void)user;
    if (is_stream) chunks += sse_json_consume(bytes, size * count);
    return size * count;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
    (void)easy; (void)user;
    struct epoll_event event = {.data.fd = fd};
    if (what == CURL_POLL_REMOVE) { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event); curl_multi_assign(multi, fd, NULL); return 0; }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known) curl_multi_assign(multi, fd, &epoll);
    return 0;
}

static int on_timer(CURLM *m, long milliseconds, void *user) { (void)m; (void)user; timeout_ms = milliseconds; return 0; }

static void launch(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(sizeof body - 1));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_multi_add_handle(multi, easy);
    left--;
}

static void collect(void) {
    CURLMsg *message;
    int rest;
    while ((message = curl_multi_info_read(multi, &rest))) {
        CURL *easy = message->easy_handle;
        if (message->data.result != CURLE_OK) { fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result)); exit(1); }
        done++;
        curl_multi_remove_handle(multi, easy);
        if (left > 0) launch(easy);
    }
}

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    url = argv[1];
    long total = left = atol(argv[2]);
    int in_flight = atoi(argv[3]);
    is_stream = argc > 4;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    epoll = epoll_create1(0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer bench");
    headers = curl_slist_append(headers, "Expect:");
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < in_flight && left > 0; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        // For a vendor with TLS: libcurl does not read this variable, only the curl command does.
        if (getenv("CURL_CA_BUNDLE")) curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        launch(easy);
    }
    struct epoll_event events[256];
    while (done < total) {
        int count = epoll_wait(epoll, events, 256, timeout_ms < 0 ? 1000 : (int)timeout_ms);
        if (count == 0) curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        for (int i = 0; i < count; i++)
            curl_multi_socket_action(multi, events[i].data.fd,
                                     (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                         (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0), &running);
        collect();
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    printf("{\"requests_per_second\":%.0f,\"cpu_us_per_request\":%.2f,\"chunks_per_second\":%.0f}\n",
           (double)total / seconds, cpu / (double)total, (double)chunks / seconds);
}
