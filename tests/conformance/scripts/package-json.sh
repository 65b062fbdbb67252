#!/bin/bash
cat > package.json <<'T'
{"name": "demo", "version": "0.1.0", "scripts": {"build": "tsc", "test": "jest"}, "dependencies": {"a": "^1.0.0"}}
T
jq -r '.scripts | to_entries | sort_by(.key)[] | "\(.key)\t\(.value)"' package.json
jq '.version = "0.2.0"' package.json | jq -r .version
jq -r '.dependencies | keys[]' package.json
