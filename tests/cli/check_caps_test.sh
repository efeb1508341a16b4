# tools/check_caps.sh passes on this tree and finds each kind of breach.
set -euo pipefail
tools/check_caps.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir"/src/{base,nn,app,kernels} "$dir"/include/heed "$dir"/tests
breach() { # file, expected line of output, text on stdin
    cat >"$dir/$1"
    if tools/check_caps.sh "$dir" >"$dir/out"; then
        echo "not noticed: $2" && exit 1
    fi
    diff <(echo "$1:$2") "$dir/out"
    rm "$dir/$1"
}
fine() {
    cat >"$dir/$1"
    tools/check_caps.sh "$dir"
    rm "$dir/$1"
}

breach src/nn/a.c "3: ends the process outside src/app: exit" <<<$'void f(void) {\n    /* exit( */\n    exit(1);\n}'
fine src/app/a.c <<<$'void f(void) {\n    exit(1);\n}'
fine src/nn/a.c <<<$'void f(void) {\n    g("exit(1)", \'"\'); // abort()\n}'
breach src/nn/a.c '2: prints outside src/app: fprintf' <<<$'void f(void) {\n    fprintf(stderr, "");\n}'
breach src/nn/a.c '1: asks the libm, whose bits differ between machines: expf' <<<'float x = expf(1);'
fine src/nn/a.c <<<'float x = k->math->exp(y, x, n) + heed_exp(1);'
breach src/nn/a.c '1: names an intrinsic outside src/kernels: _mm_setzero_ps' <<<'x = _mm_setzero_ps();'
breach src/nn/a.c '1: names threads outside src/base: pthread_create' <<<'pthread_create;'
breach src/nn/a.c '1: maps memory outside src/base: mmap' <<<'x = mmap(0);'
breach src/nn/a.c '1: names a socket: socket' <<<'x = socket(0);'
breach src/nn/a.c '1: follows the locale; base/text.h has what does not: strtod' <<<'x = strtod(0);'
breach src/nn/a.c '1: snprintf of a number with a point follows the locale; heed__format does not' <<<'snprintf(t, 3, "%.3f", x);'
breach src/nn/a.c '1: unfinished work' <<<"/* TO""DO */"
breach src/nn/a.c '1: a tab' <<<$'int\tx;'
breach tests/a.c '1: 101 columns, more than 100' <<<"$(printf '%0101d' 0)"
fine tests/a.c <<<"$(printf 'ä%.0s' {1..100})"
breach tests/a.c '801: 801 lines, more than 800' < <(yes '' | head -801)
breach include/heed/a.h '401: 401 lines, more than 400' < <(yes '' | head -401)
fine src/nn/a_data.c < <(yes '' | head -1000)
body() { echo "static int f(int a)"; echo "{"; printf '    { x(); }%.0s\n' $(seq "$1"); echo "}"; }
breach src/nn/a.c '1: f has 61 lines, more than 60' < <(body 58)
fine src/nn/a.c < <(body 57)
breach src/kernels/body_a.inc '1: f has 61 lines, more than 60' < <(body 58)
nest() { # levels [word]: for in for in ..., the last one the word's, and what stands in them: a comment and names of other words
    local i
    echo "void f(void) {"; for ((i = 1; i < $1; i++)); do printf '%*sfor (;;)\n' $((4 * i)) ''; done
    printf '%*s%s (x)\n' $((4 * i)) '' "${2:-for}"
    printf '%24s%s\n' '' 'g(1, /* of which' '' "${2:-for} is not one */" '' "${2:-for}_all);"; echo '}'; }
for word in if for while do switch; do
    fine src/nn/a.c < <(nest 4 $word)
    breach src/nn/a.c '6: nesting 5, more than 4' < <(nest 5 $word)
done
breach src/kernels/body_a.inc '6: nesting 5, more than 4' < <(nest 5)
breach src/nn/a.c '1: f has 7 parameters, more than 6' <<<'int f(int a, int b, int c, int d, int e, int f, int g) { return 0; }'
fine src/nn/a.c <<<'int f(int a, void (*b)(int, int, int), int c, int d, int e, int f) { return 0; }'
fine src/kernels/a.c <<<'int f(int a, int b, int c, int d, int e, int f, int g) { return 0; }'
