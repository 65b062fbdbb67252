#!/bin/bash
trim() { local s=$1; s=${s#"${s%%[![:space:]]*}"}; s=${s%"${s##*[![:space:]]}"}; printf '%s' "$s"; }
join_by() { local IFS=$1; shift; echo "$*"; }
repeat() { local out; printf -v out '%*s' "$2" ''; echo "${out// /$1}"; }
contains() { case $1 in *"$2"*) return 0 ;; esac; return 1; }
echo "[$(trim '  a b  ')]"; join_by , a b c; repeat = 5
contains 'hello world' 'lo w' && echo yes; contains abc x || echo no
