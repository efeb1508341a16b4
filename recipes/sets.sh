# sets.sh: sourced by recipes that learn labels: the sets, each as $work/train.$ext and $work/test.$ext with columns label and
# text, from $data, the folder of the sets (HEED_DATA, ../shared/data).
source "$(dirname "$0")/data.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ALL="trec sst2 banking77 clinc150 twitter_financial_news financial_phrasebank bbc_news chnsenticorp thucnews10_titles
     tnews online_shopping_polarity online_shopping_category news20_bydate imdb"

# columns "A B C": of a table with a header, A and then B and C side by side, as "label", "text"
columns() {
    awk -F'\t' -v want="$1" 'BEGIN { n = split(want, name, " ") }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "label\ttext"; next }
        { text = $at[name[2]]; for (i = 3; i <= n; i++) text = text " " $at[name[i]]; print $at[name[1]] "\t" text }'
}

# rows KEEP K R: the header, and the rows whose number modulo K is R (keep) or is not (drop)
rows() {
    awk -v keep="$1" -v k="$2" -v r="$3" 'NR == 1 || ((NR - 2) % k == r) == (keep == "keep")'
}

# make SET FOLD: $work/train and $work/test
make() {
    local each text
    case $1 in online_shopping_*) need online_shopping_10_cats ;; *) need "$1" ;; esac
    case $1 in
    imdb | chnsenticorp | sst2) text='label text' ;;
    trec) text='coarse text' ;;
    banking77) text='intent text' ;;
    esac
    ext=tsv
    case $1 in
    imdb | chnsenticorp | sst2 | trec | banking77 | thucnews10_titles)
        for each in train test; do read_in "$1/$each.tsv" | columns "${text:-label text}" >"$work/$each.tsv"; done ;;
    clinc150)
        for each in train test; do read_in "$1/$each.tsv" | awk -F'\t' '$2 != "oos"' | columns 'intent text' >"$work/$each.tsv"; done ;;
    twitter_financial_news)
        read_in "$1/train.tsv" | columns 'label text' >"$work/train.tsv"
        read_in "$1/valid.tsv" | columns 'label text' >"$work/test.tsv" ;;
    tnews)
        read_in "$1/train.tsv" | columns 'label text keywords' >"$work/train.tsv"
        read_in "$1/valid.tsv" | columns 'label text keywords' >"$work/test.tsv" ;;
    online_shopping_polarity | online_shopping_category)
        [ "${1##*_}" = polarity ] && text='label text' || text='category text'
        read_in online_shopping_10_cats/all.tsv | columns "$text" >"$work/all.tsv" ;;
    financial_phrasebank) read_in "$1/sentences_allagree.tsv" | columns 'label text' >"$work/all.tsv" ;;
    news20_bydate) # subject and body, side by side
        ext=jsonl
        for each in train test; do
            read_in "$1/$each.jsonl" | sed -E 's/"subject": "/"text": "/; s/", "header": "([^"\\]|\\.)*", "body": "/ /' >"$work/$each.jsonl"
        done ;;
    bbc_news) # title and text, side by side; the first line stands where a table has its header
        ext=jsonl
        { echo; read_in "$1/all.jsonl" | sed -E 's/", "text": "/ /; s/"title": "/"text": "/'; } >"$work/all.jsonl" ;;
    *) echo "$(basename "$0"): no set '$1'" >&2; exit 64 ;;
    esac
    [ -z "$2" ] && return
    rows drop "$3" "$2" <"$work/all.$ext" >"$work/train.$ext"
    rows keep "$3" "$2" <"$work/all.$ext" >"$work/test.$ext"
    [ $ext = jsonl ] && sed -i 1d "$work/train.jsonl" "$work/test.jsonl"
    return 0
}

# What is tested on rows of its own: its folds.
folds() {
    case $1 in
    financial_phrasebank) for f in 0 1 2 3 4 5 6 7 8 9; do echo "$f 10"; done ;;
    bbc_news) for f in 0 1 2 3 4; do echo "$f 5"; done ;;
    online_shopping_*) echo "9 10" ;;
    *) echo "" ;;
    esac
}

# quietly COMMAND...: what it says is told only where it fails
quietly() {
    "$@" >"$work/log" 2>&1 || { local rc=$?; tail -3 "$work/log" >&2; return $rc; }
}

# number KEY: of the JSON on standard input
number() {
    sed -nE "s/.*\"$1\": *([0-9.eE+-]+).*/\1/p"
}
