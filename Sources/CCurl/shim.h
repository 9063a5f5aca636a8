// libcurl's option and info calls are variadic in C, which Swift cannot call: one typed inline a kind.
#pragma once

#include <curl/curl.h>

static inline CURLcode gw_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gw_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gw_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gw_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*gw_curl_data_callback)(char *bytes, size_t size, size_t count, void *user);

static inline void gw_curl_set_callbacks(CURL *easy, gw_curl_data_callback header, gw_curl_data_callback body,
                                         void *user) {
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, user);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, user);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, user);
}

// `callback` is asked before a request is written to a connection, each time that one is.
static inline void gw_curl_set_prerequest(CURL *easy, curl_prereq_callback callback, void *user) {
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, user);
}

static inline void gw_curl_set_close_socket(CURL *easy, curl_closesocket_callback callback, void *user) {
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, user);
}

static inline void gw_curl_set_open_socket(CURL *easy, curl_opensocket_callback callback, void *user) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, user);
}

static inline long gw_curl_info_long(CURL *easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline curl_off_t gw_curl_info_time(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline void *gw_curl_private(CURL *easy) {
    char *value = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
    return value;
}

static inline void gw_curl_multi_callbacks(CURLM *multi, curl_socket_callback socket, curl_multi_timer_callback timer,
                                           void *user) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, user);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, user);
}

static inline void gw_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    curl_multi_setopt(multi, option, value);
}

// The next finished transfer, or NULL.
static inline CURL *gw_curl_multi_next_done(CURLM *multi, CURLcode *result) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

// The certificates that this libcurl trusts by default, or NULL.
static inline const char *gw_curl_default_ca_file(void) { return curl_version_info(CURLVERSION_NOW)->cainfo; }
