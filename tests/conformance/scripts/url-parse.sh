#!/bin/bash
url='https://user:pw@example.org:8443/a/b?x=1&y=2#frag'
scheme=${url%%://*}; rest=${url#*://}; frag=${rest##*#}; rest=${rest%%#*}; query=${rest#*\?}; rest=${rest%%\?*}
host=${rest%%/*}; path=/${rest#*/}; auth=${host%%@*}; host=${host#*@}
printf '%s\n' "$scheme" "$auth" "${host%:*}" "${host##*:}" "$path" "$frag"
tr '&' '\n' <<< "$query" | while IFS== read -r k v; do echo "$k -> $v"; done
