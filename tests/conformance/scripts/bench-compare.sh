#!/bin/bash
printf 'sort 120\ngrep 40\n' > old; printf 'sort 100\ngrep 50\n' > new
join <(sort old) <(sort new) | awk '{ d = ($3 - $2) * 100 / $2; printf "%-6s%+7.1f%% %s\n", $1, d, d > 10 ? "SLOWER" : d < -10 ? "faster" : "same" }'
