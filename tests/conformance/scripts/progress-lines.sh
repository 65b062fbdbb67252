#!/bin/bash
total=4
for i in $(seq $total); do printf '\r%3d%%' $((i * 100 / total)); done | tr '\r' '\n' | tail -n +2
printf '[%-10s]\n' "$(printf '#%.0s' 1 2 3)"
