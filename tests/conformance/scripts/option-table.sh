#!/bin/bash
declare -A help=([build]='make it' [test]='try it' [clean]='drop it')
for k in "${!help[@]}"; do printf '  %-8s %s\n' "$k" "${help[$k]}"; done | sort
