#!/bin/bash
printf '{"ok": true}' > good.json; printf '{"ok": ' > bad.json
status=0
for f in *.json; do
  if jq empty "$f" 2>/dev/null; then echo "ok   $f"; else echo "FAIL $f"; status=1; fi
done
exit $status
