#!/bin/bash
valid() { local IFS=. p; [[ $1 =~ ^[0-9]+(\.[0-9]+){3}$ ]] || return 1; for p in $1; do ((p <= 255)) || return 1; done; }
for ip in 10.0.0.1 256.1.1.1 1.2.3 ::1; do valid $ip && echo "$ip ok" || echo "$ip bad"; done
printf '10.0.0.10\n10.0.0.9\n9.1.1.1\n' | sort -t. -k1,1n -k2,2n -k3,3n -k4,4n
