#!/bin/sh
# Runs every test, from nothing: the bindings are current, units, black-box tests with the real programs, stock
# clients. Prints the runner's own summary last.
set -eu
cd "$(dirname "$0")/.."
scripts/proto.sh --check
# The programs that the black-box tests start are built beside the tests.
swift build --build-tests
exec swift test --skip-build
