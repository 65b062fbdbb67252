#!/bin/bash
set -eu
GITHUB_OUTPUT=out.txt; : > $GITHUB_OUTPUT
GITHUB_REF=refs/tags/v2.3.4-rc.1
tag=${GITHUB_REF#refs/tags/}
version=${tag#v}
{
  echo "tag=$tag"
  echo "version=$version"
  case $version in *-*) echo prerelease=true ;; *) echo prerelease=false ;; esac
  echo "major=${version%%.*}"
} | tee "$GITHUB_OUTPUT"
