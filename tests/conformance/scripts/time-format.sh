#!/bin/bash
human() { local s=$1; printf '%02d:%02d:%02d\n' $((s / 3600)) $((s % 3600 / 60)) $((s % 60)); }
human 3661; human 59; human 86399
to_seconds() { local IFS=: ; set -- $1; echo $((10#$1 * 3600 + 10#$2 * 60 + 10#$3)); }
to_seconds 01:01:01; to_seconds 08:09:09
