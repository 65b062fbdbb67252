#!/bin/bash
docker-not-here build -t demo . 2>/dev/null || { code=$?; echo "docker failed with $code"; }
image=registry.example.org/team/app:1.2.3
echo "${image##*/}" "${image%%/*}" "tag ${image##*:}"
exit "${code:-0}"
