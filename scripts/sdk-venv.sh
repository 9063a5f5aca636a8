#!/bin/sh
# Makes a Python environment with the vendors' official SDKs, exactly these versions. Usage: sdk-venv.sh FOLDER
# Does nothing where FOLDER has them already; exits with 75 and a reason where they cannot be had.
set -eu
folder=$1
pins="openai==3.57.0 anthropic[vertex]==2.12.0 google-genai==3.4.0 groq==1.7.0 google-auth==2.62.2 azure-identity==1.27.0 cryptography==50.0.2"
[ "$(cat "$folder/pins" 2>/dev/null)" = "$pins" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
if ! python3 -m venv "$folder" >"$folder.log" 2>&1; then
    echo "no Python environment: $(tail -1 "$folder.log")"
    exit 75
fi
# shellcheck disable=SC2086
if ! "$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 $pins >"$folder.log" 2>&1; then
    echo "the SDKs cannot be had: $(tail -1 "$folder.log")"
    exit 75
fi
echo "$pins" >"$folder/pins"
