#!/bin/bash
cat > Makefile <<'T'
# build: compile everything
build: main.c
	cc main.c
## test: run the tests
test: build
.PHONY: build test
clean:
	rm -f a.out
T
grep -E '^[a-zA-Z_-]+:' Makefile | cut -d: -f1 | sort | tr '\n' ' '; echo
sed -n 's/^## *//p' Makefile
