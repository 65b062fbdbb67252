#!/bin/bash
cmd_list() { echo "listing ${1:-all}"; }
cmd_add() { [ $# -eq 1 ] || { echo 'add needs a name'; return 2; }; echo "added $1"; }
dispatch() { local name=cmd_$1; shift; if declare -F "$name" > /dev/null; then "$name" "$@"; else echo "unknown: ${name#cmd_}"; return 1; fi; }
dispatch list; dispatch add x; dispatch add; echo $?; dispatch nope || echo "status $?"
