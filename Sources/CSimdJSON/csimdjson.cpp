#include "csimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <new>
#include <sstream>
#include <string>

using simdjson::dom::element;

// An element is two words (simdjson's tape_ref); the C struct carries exactly these.
static_assert(sizeof(element) == sizeof(gw_json_element), "simdjson's element has changed its form");
static_assert(sizeof(simdjson::dom::array::iterator) == sizeof(gw_json_element), "simdjson's iterator has changed");
static_assert(sizeof(simdjson::dom::object::iterator) == sizeof(gw_json_element), "simdjson's iterator has changed");

struct gw_json_parser {
    simdjson::dom::parser parser;
};

namespace {

element from(gw_json_element value) {
    element result;
    std::memcpy(static_cast<void *>(&result), &value, sizeof result);
    return result;
}

gw_json_element to(element value) {
    gw_json_element result;
    std::memcpy(&result, static_cast<const void *>(&value), sizeof result);
    return result;
}

}  // namespace

extern "C" {

size_t gw_json_padding(void) { return simdjson::SIMDJSON_PADDING; }

gw_json_parser *gw_json_parser_create(void) { return new (std::nothrow) gw_json_parser; }

void gw_json_parser_free(gw_json_parser *parser) { delete parser; }

const char *gw_json_parse(gw_json_parser *parser, const uint8_t *bytes, size_t length, bool padded,
                          gw_json_element *root) {
    element result;
    auto error = parser->parser.parse(bytes, length, !padded).get(result);
    if (error) return simdjson::error_message(error);
    *root = to(result);
    return nullptr;
}

size_t gw_json_capacity(const gw_json_parser *parser) { return parser->parser.capacity(); }

gw_json_kind gw_json_kind_of(gw_json_element value) {
    switch (from(value).type()) {
    case simdjson::dom::element_type::BOOL: return GW_JSON_BOOL;
    case simdjson::dom::element_type::INT64: return GW_JSON_INT;
    case simdjson::dom::element_type::UINT64: return GW_JSON_UINT;
    case simdjson::dom::element_type::DOUBLE: return GW_JSON_DOUBLE;
    case simdjson::dom::element_type::STRING: return GW_JSON_STRING;
    case simdjson::dom::element_type::ARRAY: return GW_JSON_ARRAY;
    case simdjson::dom::element_type::OBJECT: return GW_JSON_OBJECT;
    default: return GW_JSON_NULL;
    }
}

bool gw_json_bool(gw_json_element value) {
    bool result = false;
    (void)from(value).get_bool().get(result);
    return result;
}

int64_t gw_json_int(gw_json_element value) {
    int64_t result = 0;
    (void)from(value).get_int64().get(result);
    return result;
}

uint64_t gw_json_uint(gw_json_element value) {
    uint64_t result = 0;
    (void)from(value).get_uint64().get(result);
    return result;
}

double gw_json_double(gw_json_element value) {
    double result = 0;
    (void)from(value).get_double().get(result);
    return result;
}

const char *gw_json_string(gw_json_element value, size_t *length) {
    std::string_view text;
    if (from(value).get_string().get(text)) {
        *length = 0;
        return "";
    }
    *length = text.size();
    return text.data();
}

bool gw_json_member(gw_json_element value, const char *key, size_t key_length, gw_json_element *member) {
    simdjson::dom::object object;
    if (from(value).get_object().get(object)) return false;
    element found;
    if (object.at_key(std::string_view(key, key_length)).get(found)) return false;
    *member = to(found);
    return true;
}

size_t gw_json_count(gw_json_element value) {
    simdjson::dom::array array;
    if (!from(value).get_array().get(array)) return array.size();
    simdjson::dom::object object;
    if (!from(value).get_object().get(object)) return object.size();
    return 0;
}

bool gw_json_begin(gw_json_element value, gw_json_iterator *iterator) {
    auto start = [&](auto container, bool is_object) {
        auto first = container.begin();
        auto last = container.end();
        gw_json_element words;
        std::memcpy(&words, static_cast<const void *>(&first), sizeof words);
        iterator->document = words.document;
        iterator->cursor = words.index;
        std::memcpy(&words, static_cast<const void *>(&last), sizeof words);
        iterator->end = words.index;
        iterator->is_object = is_object;
        return iterator->cursor != iterator->end;
    };
    simdjson::dom::array array;
    if (!from(value).get_array().get(array)) return start(array, false);
    simdjson::dom::object object;
    if (!from(value).get_object().get(object)) return start(object, true);
    return false;
}

bool gw_json_next(gw_json_iterator *iterator, gw_json_element *value, const char **key, size_t *key_length) {
    if (iterator->cursor == iterator->end) return false;
    gw_json_element words = {iterator->document, iterator->cursor};
    if (iterator->is_object) {
        simdjson::dom::object::iterator position;
        std::memcpy(static_cast<void *>(&position), &words, sizeof words);
        auto name = position.key();
        *key = name.data();
        *key_length = name.size();
        *value = to(position.value());
        ++position;
        std::memcpy(&words, static_cast<const void *>(&position), sizeof words);
    } else {
        simdjson::dom::array::iterator position;
        std::memcpy(static_cast<void *>(&position), &words, sizeof words);
        *value = to(*position);
        ++position;
        std::memcpy(&words, static_cast<const void *>(&position), sizeof words);
    }
    iterator->cursor = words.index;
    return true;
}

void gw_json_text(gw_json_element value, void *context,
                  void (*sink)(void *context, const char *text, size_t length)) {
    std::string text = simdjson::minify(from(value));
    sink(context, text.data(), text.size());
}

}  // extern "C"
