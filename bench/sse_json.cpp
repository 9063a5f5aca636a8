// The minimum that a client does with a streamed chat completion: splits the bytes into server-sent events, parses each
// as JSON and reads the text and the finish reason of the first choice. For curl_loop.c.
#include <simdjson.h>

#include <cstring>
#include <string>

extern "C" long sse_json_consume(const char *bytes, size_t size);

static simdjson::dom::parser parser;
static std::string pending, event;
static size_t text_bytes, ends;

// Reads one event's data; returns 1 if it contains text.
static long take(const std::string &data) {
    if (data == "[DONE]") return 0;
    simdjson::dom::element root;
    if (parser.parse(data.data(), data.size()).get(root)) {
        fprintf(stderr, "an event is not JSON\n");
        exit(1);
    }
    simdjson::dom::array choices;
    if (root["choices"].get(choices)) return 0;
    long count = 0;
    for (simdjson::dom::element choice : choices) {
        std::string_view text, reason;
        if (!choice["delta"]["content"].get(text)) {
            text_bytes += text.size();
            count++;
        }
        if (!choice["finish_reason"].get(reason)) ends++;
    }
    return count;
}

// Returns how many pieces of text the bytes completed.
long sse_json_consume(const char *bytes, size_t size) {
    long count = 0;
    pending.append(bytes, size);
    size_t at = 0, end;
    while ((end = pending.find('\n', at)) != std::string::npos) {
        size_t length = end - at;
        if (length && pending[end - 1] == '\r') length--;
        if (length == 0) {
            if (!event.empty()) count += take(event);
            event.clear();
        } else if (length > 5 && !memcmp(pending.data() + at, "data:", 5)) {
            size_t skip = pending[at + 5] == ' ' ? 6 : 5;
            if (!event.empty()) event += '\n';
            event.append(pending, at + skip, length - skip);
        }
        at = end + 1;
    }
    pending.erase(0, at);
    return count;
}
