#!/bin/bash
set -euo pipefail
matrix='[]'
for os in ubuntu macos; do
  for py in 3.11 3.12; do
    [ "$os-$py" = macos-3.11 ] && continue
    matrix=$(jq -c --arg os "$os" --arg py "$py" '. + [{os: $os, python: $py}]' <<< "$matrix")
  done
done
echo "count=$(jq length <<< "$matrix")"
jq -r '.[] | "\(.os) \(.python)"' <<< "$matrix"
