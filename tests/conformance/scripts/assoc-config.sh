#!/bin/bash
declare -A conf=([host]=localhost [port]=80)
while IFS='=' read -r k v; do [ -n "$k" ] && conf[$k]=$v; done <<'T'
port=8080
debug=true
T
for k in $(printf '%s\n' "${!conf[@]}" | sort); do echo "$k=${conf[$k]}"; done
