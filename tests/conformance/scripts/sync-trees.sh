#!/bin/bash
mkdir -p a/x b/x; echo 1 > a/x/f; echo 2 > a/g; echo old > b/x/f; echo extra > b/z
while IFS= read -r f; do
  rel=${f#a/}
  if ! cmp -s "$f" "b/$rel"; then mkdir -p "b/$(dirname "$rel")"; cp "$f" "b/$rel"; echo "copied $rel"; fi
done < <(find a -type f | sort)
find b -type f | sort | while read -r f; do [ -e "a/${f#b/}" ] || { rm "$f"; echo "removed ${f#b/}"; }; done
diff -r a b && echo identical
