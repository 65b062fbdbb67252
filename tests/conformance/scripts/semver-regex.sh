#!/bin/bash
for v in 1.2.3 v1.2.3 1.2 1.2.3-rc.1+b5 01.2.3; do
  if [[ $v =~ ^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-([0-9A-Za-z.-]+))?(\+([0-9A-Za-z.-]+))?$ ]]; then
    echo "$v: major=${BASH_REMATCH[1]} pre=${BASH_REMATCH[5]:-none} build=${BASH_REMATCH[7]:-none}"
  else echo "$v: invalid"; fi
done
