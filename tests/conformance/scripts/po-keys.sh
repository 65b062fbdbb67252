#!/bin/bash
printf 'msgid "hello"\nmsgstr "hallo"\n\nmsgid "bye"\nmsgstr ""\n' > de.po
awk -F'"' '/^msgid/ { id = $2 } /^msgstr/ && $2 == "" { print "untranslated: " id }' de.po
grep -c '^msgid' de.po
