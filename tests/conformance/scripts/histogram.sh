#!/bin/bash
printf '3\n1\n3\n2\n3\n' | sort -n | uniq -c | while read -r n v; do
  printf '%s ' "$v"; printf '#%.0s' $(seq "$n"); echo
done
