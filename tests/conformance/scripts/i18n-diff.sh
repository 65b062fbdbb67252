#!/bin/bash
echo '{"a":"1","b":"2","c":{"d":"3"}}' > en.json; echo '{"a":"x","c":{}}' > fr.json
keys() { jq -r 'paths(scalars) | join(".")' "$1" | sort; }
comm -23 <(keys en.json) <(keys fr.json)
