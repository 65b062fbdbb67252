#!/bin/bash
set -eu
work=$(mktemp -d ./work.XXXXXX)
cleanup() { local code=$?; rm -rf "$work"; echo "cleaned, status $code"; }
trap cleanup EXIT
echo data > "$work/f"
[ -s "$work/f" ] && echo 'made'
false
echo never
