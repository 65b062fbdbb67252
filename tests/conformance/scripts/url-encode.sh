#!/bin/bash
encode() { local s=$1 out= c i; for ((i = 0; i < ${#s}; i++)); do c=${s:i:1}
  case $c in [a-zA-Z0-9.~_-]) out+=$c ;; *) printf -v c '%%%02X' "'$c"; out+=$c ;; esac; done; echo "$out"; }
encode 'a b&c/d'; encode plain
echo 'a%20b' | sed 's/%/\\x/g' | xargs -0 printf '%b'
