#!/bin/bash
for d in 2024-01-31 2024-02-29 2024-12-31; do
  printf '%s %s week %s day %s\n' "$d" "$(date -d "$d" +%a)" "$(date -d "$d" +%V)" "$(date -d "$d" +%j)"
done
start=$(date -d 2024-01-01 +%s); end=$(date -d 2024-03-01 +%s)
echo "$(( (end - start) / 86400 )) days"
date -d '2024-03-31 - 1 month' +%F; date -d '2024-01-01 +90 days' +%F
