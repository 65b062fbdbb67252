#!/bin/bash
set -e
mkdir -p src/sub; echo 1 > src/a; echo 2 > src/sub/b
stamp=20240301
dest=backup-$stamp
cp -a src "$dest"
echo changed > src/a
diff -rq src "$dest" || true
find "$dest" -type f | sort
