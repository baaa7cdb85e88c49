#!/bin/sh
# Gets the page's libraries, and the tests' axe, from npm anew (`make vendor`): versions are said here alone.
set -eu
chart=4.6.1 table=8.21.3 axe=4.14.1
to=plugins/credential_rotation/ui/static/vendor
from=$(mktemp -d)
trap 'rm -rf "$from"' EXIT
get() {
  npm pack --silent --pack-destination "$from" "$1@$2" >/dev/null
  mkdir "$from/$3" && tar -xzf "$from"/*.tgz -C "$from/$3" --strip-components 1 && rm "$from"/*.tgz
}
get chart.js "$chart" chart
get @tanstack/table-core "$table" table
get axe-core "$axe" axe
cp "$from/chart/dist/chart.umd.min.js" "$to/chart.umd.min.js"
cp "$from/chart/LICENSE.md" "$to/chart.LICENSE.txt"
cp "$from/table/build/umd/index.production.js" "$to/table-core.umd.js"
cp "$from/table/LICENSE" "$to/table-core.LICENSE.txt"
cp "$from/axe/axe.min.js" tests/browser/vendor/axe.min.js
cp "$from/axe/LICENSE" tests/browser/vendor/axe.LICENSE.txt
{
  echo "From npm, unchanged: chart.js $chart (MIT), @tanstack/table-core $table (MIT)."
  echo "sha256:"
  (cd "$to" && sha256sum chart.umd.min.js table-core.umd.js)
} >"$to/VERSIONS.txt"
