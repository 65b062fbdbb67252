#!/bin/bash
printf '{"l":"info","ms":5}\n{"l":"error","ms":50}\n{"l":"info","ms":7}\n' > e.jsonl
jq -r 'select(.l == "error") | .ms' e.jsonl
jq -cS -s 'group_by(.l) | map({l: .[0].l, n: length, ms: (map(.ms) | add)})' e.jsonl
