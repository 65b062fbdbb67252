#!/bin/bash
set -u
mkdir rel; echo one > rel/a; echo two > rel/b
(cd rel && sha256sum a b > SHA256SUMS)
(cd rel && sha256sum -c SHA256SUMS)
echo tampered >> rel/b
if (cd rel && sha256sum -c --quiet SHA256SUMS 2>/dev/null); then echo same; else echo "changed ($?)"; fi
