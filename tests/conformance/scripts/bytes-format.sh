#!/bin/bash
human() { awk -v b="$1" 'BEGIN { split("B K M G", u, " "); i = 1; while (b >= 1024 && i < 4) { b /= 1024; i++ } printf (i == 1 ? "%d%s\n" : "%.1f%s\n"), b, u[i] }'; }
for n in 12 2048 1500000 3221225472; do human $n; done
