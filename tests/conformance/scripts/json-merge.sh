#!/bin/bash
echo '{"a":1,"n":{"x":1}}' > base.json; echo '{"b":2,"n":{"y":2}}' > over.json
jq -cS -s '.[0] * .[1]' base.json over.json
jq -n --slurpfile b base.json '$b[0].n.x'
