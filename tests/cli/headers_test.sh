#!/usr/bin/env bash
# headers_test.sh: every header stands alone, in C and in C++, heed.h brings them all, and the example that each opens with
# is a program: put into main after the declarations that it takes for granted (below), it builds without a warning, runs
# without an error, and without the files that it opens ends with a sentence.
set -uo pipefail
build=${BUILD:-build}
. tests/cli/program.sh

all='heed_error err; (void)err;
     heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
     heed_params *ps = heed_params_new(&(heed_params_cfg){ 0 }, &err);'
before() { # what the example of a header takes for granted
    case $1 in
    tensor) echo 'heed_error err; const float numbers[20] = { 1 };' ;;
    ops) echo "$all"' heed_tensor *x = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ 3, 4 });
        const heed_init init = { .kind = HEED_INIT_XAVIER_UNIFORM };
        heed_tensor *w1 = heed_param(ps, "w1", init, 2, (int64_t[]){ 5, 4 }), *b1 = NULL;
        heed_tensor *w2 = heed_param(ps, "w2", init, 2, (int64_t[]){ 2, 5 }), *b2 = NULL;
        heed_tensor *labels = heed_zeros(cx, HEED_I32, 1, (int64_t[]){ 3 });' ;;
    attention) echo "$all"' heed_tensor *q = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 2, 8 * 64 }), *k = q, *v = q;' ;;
    cache) echo "$all"' heed_tensor *q = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 2, 8 * 64 }), *k = q, *v = q;' ;;
    nn) echo "$all"' heed_tensor *x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ 1, 2, 256 }), *lengths = NULL;' ;;
    train) echo "$all"' const int64_t n = 5; heed_param(ps, "w", (heed_init){ .kind = HEED_INIT_ONES }, 1, (int64_t[]){ 3 });' ;;
    io) echo 'heed_params *ps = heed_params_new(&(heed_params_cfg){ 0 }, NULL); mkdir("m", 0700);
        heed_param(ps, "head.w", (heed_init){ .kind = HEED_INIT_ONES }, 1, (int64_t[]){ 3 });' ;;
    models) echo "$all"' heed_tensor *ids = heed_zeros(cx, HEED_I32, 2, (int64_t[]){ 2, 5 }), *lengths = NULL;
        heed_tensor *labels = heed_zeros(cx, HEED_I32, 1, (int64_t[]){ 2 });' ;;
    classify_cfg) echo 'heed_error err; const char *const text[4] = { "a b", "b c", "d e", "e f" };
        const char *const label[4] = { "x", "x", "y", "y" };
        heed_examples data = { .len = 4, .text = text, .label = label };' ;;
    esac
}
after() { # what is true then
    case $1 in
    tensor) echo 'heed_params_find(ps, "w")->grad && !heed_ctx_error(cx)' ;;
    ops) echo 'loss && !heed_ctx_error(cx)' ;;
    attention) echo 'y && !heed_ctx_error(cx)' ;;
    cache) echo 'y && heed_kv_cache_len(c) == 2' ;;
    nn) echo 'z && !heed_params_error(ps) && !heed_ctx_error(cx)' ;;
    models) echo 'loss && !heed_params_error(ps) && !heed_ctx_error(cx)' ;;
    train) echo 'heed_optim_steps(opt) == 10 && !heed_ctx_error(cx)' ;;
    io) echo 'e && e->len == 3' ;;
    base | text) echo '!err.code' ;;
    tasks | heed) echo 'n == 3' ;;
    embed) echo 'v[0] * v[0] < 1 && v[511] * v[511] < 1' ;;
    classify_cfg) echo 'c' ;;
    esac
}
read -ra libs <<<"$(xargs pkg-config --libs <tools/libraries.txt) -lm -lpthread"
# program NAME WHERE: the lines of an example on stdin as a program
program() {
    {
        printf '#include <heed/%s.h>\n' nn train io models tasks embed text
        printf '#include <stdio.h>\n#include <sys/stat.h>\n'
        [ "$1" != train ] || echo 'static heed_tensor *loss_of(heed_ctx *cx, const int64_t *item, int64_t count) {
            (void)item; return heed_scalar(cx, (float)count); }'
        echo 'int main(void) {'
        before "$1"
        cat
        echo "return ($(after "$1")) ? 0 : 9; }"
    } >"$dir/$1.c"
    "${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -Wno-unused-variable -Iinclude "$dir/$1.c" "$build/libheed.a" "${libs[@]}" \
        -o "$dir/$1.run" 2>"$dir/said" || { wrong "$2 does not build" && cat "$dir/said" && return; }
    (cd "$dir" && "./$1.run") >"$dir/said" 2>&1 || { wrong "$2: status $?" && cat "$dir/said"; }
    # where nothing is to be found it ends with a sentence
    mkdir -p "$dir/empty"
    (cd "$dir/empty" && "../$1.run" >said 2>&1) || { [ $? -lt 128 ] && [ -s "$dir/empty/said" ]; } || wrong "$2, without files"
}

ln -s "$PWD/models" "$dir/models"
mkdir "$dir/bert"
"$build/heed" train tokenizer README.md -o "$dir/bert/tokenizer.json" --vocab 300 >/dev/null 2>&1 || wrong "no tokenizer for text.h"
cxx=1
echo | "${CC:-cc}" -x c++ -fsyntax-only - 2>/dev/null || { cxx=0 && echo "no C++ compiler here: headers are read as C alone"; }
for header in include/heed/*.h; do
    name=$(basename "$header" .h)
    [ "$name" = heed ] || grep -qx "#include <heed/$name.h>" include/heed/heed.h include/heed/tasks.h ||
        wrong "heed.h does not bring $header"
    echo "#include <heed/$name.h>" >"$dir/alone.c"
    "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$dir/alone.c" || wrong "$header alone, C"
    [ $cxx = 0 ] || "${CC:-cc}" -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$dir/alone.c" ||
        wrong "$header alone, C++"
    # the first comment's indented lines, until one that is not
    awk '/^ \*     / { print substr($0, 8); on = 1; next } /^ \*$/ { next } on || /\*\// { exit }' "$header" >"$dir/$name.example"
    [ -s "$dir/$name.example" ] || { wrong "$header opens with no example" && continue; }
    program "$name" "the example of $header" <"$dir/$name.example"
done
sed -n '/-- a cache of keys/,/\*\//s/^ \*     //p' include/heed/attention.h | program cache "the cache's example of attention.h"
exit $failed
