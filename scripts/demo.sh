#!/bin/sh
# Shows Genwire at work, without any key: starts the simulator and the daemon on a Unix socket in a folder of their
# own, calls each RPC through the CLI, prints every command before it runs, and stops everything again.
# Usage: demo.sh BIN_FOLDER
set -eu
bin=$(cd "${1:-.build/release}" && pwd)
folder=$(mktemp -d /tmp/genwire-demo-XXXXXX)
sim=""
daemon=""

finish() {
    status=$?
    for process in $daemon $sim; do kill "$process" 2>/dev/null || true; done
    for process in $daemon $sim; do wait "$process" 2>/dev/null || true; done
    [ $status -eq 0 ] || { echo "demo failed; the daemon said:"; cat "$folder/daemon.log" 2>/dev/null || true; }
    rm -rf "$folder"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$1"; else echo "$1"; fi; }
say() { echo; bold "# $1"; }
run() {
    echo "\$ genwire $*"
    "$bin/genwire" "$@"
}
# Waits until FILE holds TEXT. Usage: wait_for FILE TEXT PID
wait_for() {
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || { cat "$1"; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "waited 10 seconds for: $2"; exit 1; }
        sleep 0.05
    done
}

say "The vendors, simulated, so that nothing here needs a key"
echo "\$ genwire-sim --port 0 --chunk-interval 60 --api-key demo-key"
"$bin/genwire-sim" --port 0 --chunk-interval 60 --api-key demo-key 2>"$folder/sim.log" &
sim=$!
wait_for "$folder/sim.log" "ready on" $sim
upstream=$(sed -n 's/.*ready on \(http[^ ]*\).*/\1/p' "$folder/sim.log")
echo "  $upstream"

cat >"$folder/config.yaml" <<YAML
server: {listen: ["unix:$folder/genwire.sock", "tcp:127.0.0.1:0"]}
generation:
  provider: openai
  config: {model_name: gpt-6-luna, api_base: "$upstream/v1", api_key: "\${DEMO_KEY}"}
models:
  gemini:     {provider: vertex, config: {model_name: gemini-3.8-flash, project_id: demo, region: global, api_base: "$upstream", auth: google}}
  claude:     {provider: anthropic_vertex, config: {model_name: claude-sonnet-5-5, project_id: demo, region: us-east5, api_base: "$upstream", auth: google}}
  azure:      {provider: azure_openai, config: {model_name: gpt-6-luna, azure_endpoint: "$upstream", api_key: "\${DEMO_KEY}"}}
  groq:       {provider: groq, config: {model_name: openai/gpt-oss-120b, api_base: "$upstream/openai/v1", api_key: "\${DEMO_KEY}"}}
  anthropic:  {provider: anthropic, config: {model_name: claude-sonnet-5-5, api_base: "$upstream", api_key: "\${DEMO_KEY}"}}
  gemini-api: {provider: gemini, config: {model_name: gemini-3.8-flash, api_base: "$upstream", api_key: "\${DEMO_KEY}"}}
  flaky:      {provider: openai, config: {model_name: "gpt-6-luna#cut-after=3", api_base: "$upstream/v1", api_key: "\${DEMO_KEY}"}}
auth:
  google: {type: static, token: "\${DEMO_KEY}"}
YAML
cat >"$folder/tools.json" <<'JSON'
[{"name": "get_weather", "description": "The weather in a city",
  "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
JSON

say "The daemon: the key stays with it, callers get a socket"
export DEMO_KEY=demo-key
echo "\$ genwired check --config config.yaml"
"$bin/genwired" check --config "$folder/config.yaml"
echo "\$ genwired --config config.yaml"
"$bin/genwired" --config "$folder/config.yaml" 2>"$folder/daemon.log" &
daemon=$!
unset DEMO_KEY
wait_for "$folder/daemon.log" "genwired ready" $daemon
grep "genwired ready" "$folder/daemon.log" | sed 's/^/  /'
export GENWIRE_CONNECT="unix:$folder/genwire.sock"

say "Health and credentials"
run health
run auth
run models

say "One prompt, one answer"
run generate "Write a haiku about sockets"

say "A chat, streamed as it is made"
run chat -m "system:You are brief." -m "user:Tell me about frames on a wire" --stream

say "A tool call, streamed"
run chat -m "user:What is the weather in Paris?" --tools "$folder/tools.json" --stream

say "Every provider through one socket: the same request, seven wires"
for model in default gemini claude azure groq anthropic gemini-api; do
    run --model $model generate "Who are you?"
done

say "A tool call from Gemini, and one from Claude: the same form"
run --model gemini chat -m "user:What is the weather in Paris?" --tools "$folder/tools.json" --stream
run --model claude chat -m "user:What is the weather in Paris?" --tools "$folder/tools.json" --stream

say "A stream that the vendor cuts off: it says so, and the exit code too"
status=0
run --model flaky chat -m "user:Count to twenty" --stream || status=$?
echo "  exit code $status"
[ $status -ne 0 ] || { echo "a cut stream must not look like success"; exit 1; }

say "Done: stopping the daemon and the simulator"
