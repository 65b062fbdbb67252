#!/bin/bash
for i in 1 2 3; do echo "INFO step $i"; done > app.log
echo 'ERROR disk full' >> app.log; echo 'WARN slow' >> app.log
declare -A seen
while read -r level _; do seen[$level]=$(( ${seen[$level]:-0} + 1 )); done < app.log
for level in ERROR WARN INFO; do printf '%-6s%3d\n' "$level" "${seen[$level]}"; done
grep -n ERROR app.log | cut -d: -f1
