#!/bin/bash
mkdir -p dist/css; echo body > dist/css/a.css; echo x > dist/i.html
(cd dist && find . -type f | sort | while read -r f; do printf '%s  %s\n' "$(sha256sum < "$f" | cut -c1-12)" "${f#./}"; done) | tee MANIFEST
wc -l < MANIFEST
