#!/bin/bash
set -u
if command -v git-not-here > /dev/null; then echo yes; else echo 'no git-not-here'; fi
hash=$(git-not-here rev-parse HEAD 2>/dev/null || echo unknown)
echo "revision $hash"
git-not-here status 2>/dev/null; echo "status $?"
