#!/bin/bash
mkdir -p d/e; head -c 2048 /dev/zero > d/big; head -c 10 /dev/zero > d/small; head -c 4096 /dev/zero > d/e/bigger
find d -type f -size +1k -printf '%s %p\n' | sort -rn | awk '{printf "%6.1fK %s\n", $1/1024, $2}'
