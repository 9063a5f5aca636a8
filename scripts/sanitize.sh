#!/bin/sh
# The tests under the address and the thread sanitizer, each in a build folder of its own. The daemon and the
# simulator that the black-box tests start are built with the sanitizer too.
set -eu
cd "$(dirname "$0")/.."
for sanitizer in address thread; do
    echo "== $sanitizer sanitizer"
    export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/scripts/tsan.supp"
    export ASAN_OPTIONS="detect_leaks=0 abort_on_error=1"
    GENWIRE_BUILD=".build-$sanitizer" GENWIRE_SANITIZER=$sanitizer \
        swift test --sanitize=$sanitizer --scratch-path ".build-$sanitizer"
done
