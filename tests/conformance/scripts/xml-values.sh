#!/bin/bash
printf '<project>\n  <version>1.2</version>\n  <dep><name>a</name></dep>\n  <dep><name>b</name></dep>\n</project>\n' > pom.xml
sed -n 's:.*<version>\(.*\)</version>.*:\1:p' pom.xml
grep -o '<name>[^<]*' pom.xml | cut -d'>' -f2 | paste -sd,
