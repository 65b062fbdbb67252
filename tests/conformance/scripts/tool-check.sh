#!/bin/bash
missing=()
for tool in awk sed grep sort no-such-tool another-missing; do
  command -v "$tool" > /dev/null 2>&1 || missing+=("$tool")
done
echo "missing: ${missing[*]}"
[ ${#missing[@]} -eq 0 ] || exit 69
