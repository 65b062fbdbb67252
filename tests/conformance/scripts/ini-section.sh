#!/bin/bash
printf '[db]\nhost = a\nport=1\n[web]\nhost = b\n' > c.ini
ini() { awk -F' *= *' -v sec="$1" -v key="$2" '/^\[/ { s = substr($0, 2, length($0) - 2); next } s == sec && $1 == key { print $2; exit }' c.ini; }
echo "$(ini db host) $(ini db port) $(ini web host) [$(ini web port)]"
