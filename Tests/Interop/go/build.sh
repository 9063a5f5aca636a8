#!/bin/sh
# Builds ttrpc-client and ttrpc-server using only Debian's Go and Go packages, without downloads.
# Usage: build.sh FOLDER
set -eu
folder=${1:?usage: build.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")"
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= CGO_ENABLED=0 GOCACHE="${GOCACHE:-$folder/gocache}"
for program in client server; do
    /usr/bin/go build -o "$folder/ttrpc-$program" "$program.go" messages.go
done
