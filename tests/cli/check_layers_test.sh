# tools/check_layers.sh passes on this tree and fails on one that breaks the rule.
set -euo pipefail
tools/check_layers.sh
if grep -q '^\(serve\|http\|flow\|store\):.*\<app\>' tools/layers.txt; then
    echo "what serves may include the program" && exit 1
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir"/tools "$dir"/src/{base,text,models} "$dir"/include/heed
cat >"$dir/tools/layers.txt" <<'TABLE'
# a table
base:
text:   base
models: base heed/text.h
TABLE
echo '#include "models/bert.h"' >"$dir/src/text/a.c"
printf '#include <stdio.h>\n\n#  include "base/b.h"\n#include <heed/models.h>\n' >"$dir/src/text/c.c"
printf '#include <heed/text.h>\n#include "text/d.h"\n' >"$dir/src/models/bert.h"
touch "$dir/src/base/b.h" "$dir/src/text/d.h"
echo '#include <heed/base.h>' >"$dir/include/heed/text.h"
echo '#include <heed/text.h>' >"$dir/include/heed/base.h"

if tools/check_layers.sh "$dir" >"$dir/out"; then
    echo "a broken rule was not noticed" && exit 1
fi
diff - "$dir/out" <<'WANT'
include/heed/base.h:1: base may not include text
src/models/bert.h:2: models may not include text
src/text/a.c:1: text may not include models
src/text/c.c:4: text may not include models
WANT
