#!/bin/bash
mkdir -p rel/bin; echo x > rel/bin/tool; echo y > rel/README; chmod +x rel/bin/tool
find rel -printf '%M %P\n' | sort -k2 | sed 's/ $//'
find rel -type f | sort | while read -r f; do printf '%s %s\n' "$(wc -c < "$f")" "$f"; done
