#!/bin/sh
# The tests under the address and the thread sanitizer, each in a build folder of its own. The daemon and the
# simulator that the black-box tests start are built with the sanitizer too.
set -eu
cd "$(dirname "$0")/.."
# The sanitizers see our own code and what it calls; leaks of the test runner itself are none of ours.
export ASAN_OPTIONS="detect_leaks=0 suppressions=$PWD/scripts/asan.supp"
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/scripts/tsan.supp"
# Memory means little under them.
export GENWIRE_SANITIZED=1
for sanitizer in address thread; do
    echo "== $sanitizer sanitizer"
    folder=".build-$sanitizer"
    swift build --build-tests --sanitize=$sanitizer --scratch-path "$folder"
    swift test --skip-build --sanitize=$sanitizer --scratch-path "$folder" --skip BlackBoxTests --skip AuthTests --skip FuzzTests
    swift test --skip-build --sanitize=$sanitizer --scratch-path "$folder" --filter AuthTests
    swift test --skip-build --sanitize=$sanitizer --scratch-path "$folder" --filter FuzzTests
    swift test --skip-build --sanitize=$sanitizer --scratch-path "$folder" --no-parallel --filter BlackBoxTests
done
