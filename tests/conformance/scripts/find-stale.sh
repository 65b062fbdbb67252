#!/bin/bash
mkdir cache; touch -d '2020-01-01' cache/old; touch cache/new
find cache -type f -mtime +365 -print -delete
ls cache
