#!/bin/bash
set -u
lock() { mkdir "$1.lock" 2>/dev/null || { echo "locked by another"; return 1; }; }
unlock() { rmdir "$1.lock"; }
lock job && echo 'have it'
lock job || echo 'second try refused'
unlock job; lock job && echo again; unlock job
ls -A
