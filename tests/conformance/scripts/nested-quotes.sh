#!/bin/bash
data='{"msg": "it'\''s \"ok\""}'
echo "$data"
echo "$data" | jq -r .msg
bash -c 'echo "$1" | sed "s/ok/OK/"' _ "$data"
eval "echo \"\$data\"" | wc -c
