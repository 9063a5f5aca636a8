#!/bin/sh
# Runs every test, from nothing: the bindings are current, units, black-box tests with the real programs, stock
# clients. Prints the runner's own summary last.
set -eu
cd "$(dirname "$0")/.."
scripts/proto.sh --check
# The programs that the black-box tests start are built beside the tests.
swift build --build-tests
swift test --skip-build --skip BlackBoxTests --skip AuthTests --skip FuzzTests
# On their own: the fuzzing takes every core, and tests that wait on clocks would starve beside it.
swift test --skip-build --filter FuzzTests
swift test --skip-build --filter AuthTests
# One after the other: each starts programs of its own, some of them thousands of connections.
exec swift test --skip-build --no-parallel --filter BlackBoxTests
