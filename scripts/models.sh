#!/usr/bin/env bash
# Writes the models' facts of the pinned version of the Python package litellm to the file that is given.
set -euo pipefail
version=1.106.2
out=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" "litellm==$version"
python3 - "$folder" <<'PY'
import glob, sys, zipfile
folder = sys.argv[1]
with zipfile.ZipFile(glob.glob(folder + "/litellm-*.whl")[0]) as wheel:
    wheel.extract("litellm/model_prices_and_context_window_backup.json", folder)
PY
map=$folder/litellm/model_prices_and_context_window_backup.json
python3 "$(dirname "$0")/models.py" "$map" "$version" > "$folder/models.json"
mv "$folder/models.json" "$out"
