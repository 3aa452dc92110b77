#!/bin/sh
# Archives one segment of the WAL: $1 its path, $2 its name. It is there whole or not at all; the same one again is no error.
set -eu
target=$ARCHIVE/wal/$2
if [ -f "$target" ]; then exec cmp -s "$1" "$target"; fi
cp "$1" "$target.part"
sync "$target.part"
mv "$target.part" "$target"
