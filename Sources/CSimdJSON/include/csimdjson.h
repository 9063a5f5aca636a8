// A C face for simdjson's DOM: parse once, then walk. No exception crosses it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gw_json_parser gw_json_parser;

// A value inside the parser's current document; dead after the parser's next parse.
typedef struct {
    const void *document;
    size_t index;
} gw_json_element;

typedef enum {
    GW_JSON_NULL,
    GW_JSON_BOOL,
    GW_JSON_INT,
    GW_JSON_UINT,
    GW_JSON_DOUBLE,
    GW_JSON_STRING,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT
} gw_json_kind;

// Bytes that simdjson may read (not use) beyond the end of its input.
size_t gw_json_padding(void);

gw_json_parser *gw_json_parser_create(void);
void gw_json_parser_free(gw_json_parser *parser);
// The input is copied by the parser unless `padded`, which promises gw_json_padding() readable bytes behind it.
// Returns NULL and sets *root, or a static text that says what is wrong.
const char *gw_json_parse(gw_json_parser *parser, const uint8_t *bytes, size_t length, bool padded,
                          gw_json_element *root);
// The memory that the parser keeps for its next document, in bytes of input.
size_t gw_json_capacity(const gw_json_parser *parser);

gw_json_kind gw_json_kind_of(gw_json_element element);
bool gw_json_bool(gw_json_element element);
int64_t gw_json_int(gw_json_element element);
uint64_t gw_json_uint(gw_json_element element);
double gw_json_double(gw_json_element element);
const char *gw_json_string(gw_json_element element, size_t *length);

// The member of an object; false where there is none or the element is no object.
bool gw_json_member(gw_json_element object, const char *key, size_t key_length, gw_json_element *value);
size_t gw_json_count(gw_json_element container);

// Walks an array or object: begin returns false where it is empty or no container. `cursor` and `end` are opaque.
typedef struct {
    const void *document;
    size_t cursor;
    size_t end;
    bool is_object;
} gw_json_iterator;
bool gw_json_begin(gw_json_element container, gw_json_iterator *iterator);
// For an object `key` is set too. Returns false at the end.
bool gw_json_next(gw_json_iterator *iterator, gw_json_element *value, const char **key, size_t *key_length);

// The element as minified JSON, handed to `sink` in one piece.
void gw_json_text(gw_json_element element, void *context, void (*sink)(void *context, const char *text, size_t length));

#ifdef __cplusplus
}
#endif
