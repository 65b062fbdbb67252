#!/bin/bash
printf '# m h cmd\n*/5 * echo five\n0 3 backup --all\n' | grep -v '^#' | while read -r m h cmd; do
  set -f; case $m in \*/*) echo "every ${m#*/} minutes: $cmd" ;; *) echo "at $h:$(printf %02d "$m"): $cmd" ;; esac; set +f
done
