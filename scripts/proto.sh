#!/bin/sh
# Generates the protobuf-c bindings from Proto/.
#   proto.sh FOLDER    rewrites the bindings in FOLDER (Sources/CGenwireProto)
#   proto.sh --check   fails where the committed ones are not what Proto/ gives
#
# The server's bindings read every `string` as bytes with a length: protobuf-c's own strings end at the first NUL,
# and a chat may hold U+0000. The wire form is the same, so the published file stays plain. Only the messages are
# generated: the envelope around them is read in place (Sources/RPC/TTRPC).
set -eu
cd "$(dirname "$0")/.."
target=Sources/CGenwireProto
work=$(mktemp -d /tmp/genwire-proto-XXXXXX)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/proto/genwire/v1" "$work/out"
awk '
    /^package / { print; print ""; print "import \"protobuf-c/protobuf-c.proto\";"
                  print "option (pb_c_file).c_package = \"Gw\";"; next }
    /^ *(repeated )?string [A-Za-z0-9_]+ = [0-9]+;/ { sub(/;/, " [(pb_c_field).string_as_bytes = true];") }
    { print }
' Proto/genwire/v1/generation.proto >"$work/proto/genwire/v1/generation.proto"
protoc -I "$work/proto" -I /usr/include --c_out="$work/out" genwire/v1/generation.proto
if grep -n 'char \*' "$work/out/genwire/v1/generation.pb-c.h" >&2; then
    echo "a string field came out as a C string; write it as \`string NAME = NUMBER;\` on a line of its own" >&2
    exit 1
fi

layout() {
    mkdir -p "$1/include/genwire/v1" "$1/genwire/v1"
    # The option's import brings an include of protobuf-c's own descriptor, which the messages do not need.
    for file in include/genwire/v1/generation.pb-c.h genwire/v1/generation.pb-c.c; do
        grep -v 'protobuf-c/protobuf-c.pb-c.h' "$work/out/${file#include/}" >"$1/$file"
    done
}

if [ "${1:-}" = --check ]; then
    layout "$work/fresh"
    for file in include/genwire/v1/generation.pb-c.h genwire/v1/generation.pb-c.c; do
        if ! cmp -s "$work/fresh/$file" "$target/$file"; then
            echo "$target/$file is not what Proto/ generates; run: make proto" >&2
            diff "$target/$file" "$work/fresh/$file" 2>&1 | head -20 >&2 || true
            exit 1
        fi
    done
    echo "generated bindings are current"
else
    layout "${1:-$target}"
    echo "wrote ${1:-$target}"
fi
