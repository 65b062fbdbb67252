#!/bin/bash
cat > settings <<'T'
# comment
HOST=localhost
PORT = 5432
NAME="my db"

EMPTY=
T
while IFS= read -r line || [ -n "$line" ]; do
  case $line in ''|\#*) continue ;; esac
  key=$(echo "${line%%=*}" | tr -d ' ')
  value=${line#*=}
  value=${value# }
  value=${value%\"}; value=${value#\"}
  export "$key=$value"
  printf '%s=[%s]\n' "$key" "$value"
done < settings
echo "$HOST:$PORT/$NAME"
