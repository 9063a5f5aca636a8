#!/bin/sh
# Stock clients and raw bytes against the real daemon with the simulator as its vendor.
# Usage: run.sh FOLDER with genwired and genwire-sim. Prints each check; exits with 0 if all passed.
set -eu
programs=$(cd "${1:?usage: run.sh FOLDER}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d /tmp/genwire-interop-XXXXXX)
sim=""
daemon=""

finish() {
    status=$?
    for process in $daemon $sim; do kill "$process" 2>/dev/null || true; done
    for process in $daemon $sim; do wait "$process" 2>/dev/null || true; done
    [ $status -eq 0 ] || { echo "the daemon said:"; cat "$folder/daemon.log" 2>/dev/null || true; }
    rm -rf "$folder"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

# Waits until FILE contains TEXT. Usage: wait_for FILE TEXT PID
wait_for() {
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || { cat "$1"; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "waited 30 seconds for: $2"; exit 1; }
        sleep 0.05
    done
}

"$here/go/build.sh" "$folder/go"

"$programs/genwire-sim" --port 0 --tokens 200 2>"$folder/sim.log" &
sim=$!
wait_for "$folder/sim.log" "ready on" $sim
upstream=$(sed -n 's/.*ready on \(http[^ ]*\).*/\1/p' "$folder/sim.log")

cat >"$folder/config.yaml" <<YAML
server: {listen: ["unix:$folder/genwire.sock"]}
generation: {provider: openai, config: {model_name: gpt-4o-mini, api_base: "$upstream/v1", api_key: any}}
models:
  slow: {provider: openai, config: {model_name: "gpt-4o#slow-drip=4", api_base: "$upstream/v1", api_key: any}}
  limited: {provider: openai, config: {model_name: "gpt-4o#status=429", api_base: "$upstream/v1", api_key: any}}
retry: {max_attempts: 1}
YAML
"$programs/genwired" --config "$folder/config.yaml" 2>"$folder/daemon.log" &
daemon=$!
wait_for "$folder/daemon.log" "genwired ready" $daemon

failed=0
echo "# code for other languages, in the packages that the contract names"
mkdir "$folder/generated"
protoc -I "$here/../../Proto" --java_out="$folder/generated" --php_out="$folder/generated" \
    --ruby_out="$folder/generated" --csharp_out="$folder/generated" genwire/v1/generation.proto
for file in genwire/v1/ChatRequest.java Genwire/V1/ChatRequest.php genwire/v1/generation_pb.rb; do
    [ -f "$folder/generated/$file" ] || { echo "not ok $file: was not generated"; failed=1; }
done
grep -q "namespace Genwire.V1 {" "$folder/generated/Generation.cs" || { echo "not ok C#: another namespace"; failed=1; }
grep -q '^option go_package = "[^"]*/[^"]*";' "$here/../../Proto/genwire/v1/generation.proto" ||
    { echo "not ok Go: no import path"; failed=1; }

echo "# raw bytes"
"$here/raw_ttrpc.py" --socket "$folder/genwire.sock" --model default --slow-model slow || failed=1
echo "# Python, by Protobuf's own runtime"
"$here/python_client.py" --socket "$folder/genwire.sock" --model default --slow-model slow --limited-model limited || failed=1
echo "# Go, by containerd's own ttrpc"
"$folder/go/ttrpc-client" "$folder/genwire.sock" default slow || failed=1
kill -0 $daemon || { echo "the daemon has died"; failed=1; }
exit $failed
