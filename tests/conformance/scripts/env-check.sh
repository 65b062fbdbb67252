#!/bin/bash
: "${APP_PORT:=8080}"
required=(APP_NAME APP_SECRET)
APP_NAME=demo
failed=0
for name in "${required[@]}"; do
  if [ -z "${!name:-}" ]; then
    echo "missing: $name"
    failed=1
  else
    echo "found: $name"
  fi
done
echo "port $APP_PORT"
exit $failed
