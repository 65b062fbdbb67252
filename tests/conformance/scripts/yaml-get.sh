#!/bin/bash
cat > conf.yml <<'T'
name: demo
server:
  host: example.org
  port: 8080
tags: [a, b]
T
get() { sed -n "s/^$1:[[:space:]]*//p" conf.yml; }
nested() { awk -v s="$1" -v k="$2" '$0 ~ "^" s ":" { on = 1; next } /^[^ ]/ { on = 0 } on && $1 == k ":" { print $2 }' conf.yml; }
get name; nested server port; nested server host
get tags | tr -d '[] ' | tr ',' '\n'
