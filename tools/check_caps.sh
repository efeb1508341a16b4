#!/usr/bin/env bash
# check_caps.sh [ROOT]: limits that keep the house in order. Prints `file:line: what` and fails.
#   files      .c and .inc 800 lines (tables in *_data.c exempt), .h 400
#   functions  60 lines, 6 parameters (kernels exempt), nesting 4 by the indentation of clang-format
#   lines      100 columns, no tabs
#   words      unfinished work, exit and output, functions of the C library that follow the locale
#              or differ between libms, intrinsics, threads, maps and sockets: each where it belongs
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

folders=()
for folder in src include tests examples bench; do [ ! -d $folder ] || folders+=($folder); done
find "${folders[@]}" \( -name '*.[ch]' -o -name '*.inc' \) | LC_ALL=C sort | perl -CSD -e '
    use strict; use warnings;
    my $bad = 0;
    sub bad { print "$_[0]:$_[1]: $_[2]\n"; $bad = 1 }

    # Words that may stand only in files that match: [ pattern, where it is allowed, what to say ]
    my @words = (
        [ qr/\b(?:exit|_exit|_Exit|abort|quick_exit)\s*\(/, qr{^src/app/}, "ends the process outside src/app" ],
        [ qr/\b(?:printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror)\s*\(/, qr{^src/app/}, "prints outside src/app" ],
        [ qr/\b(?:sprintf|vsprintf|strcpy|strcat|gets|strtok|atoi|atof|atol|rand|srand|system|popen)\s*\(/, qr/^$/, "uses a function with a trap in it" ],
        [ qr/\b(?:strtod|strtof|strtold|setlocale|vsnprintf)\s*\(/, qr{^src/(?:app/|base/text\.c)}, "follows the locale; base/text.h has what does not" ],
        [ qr/(?<![\w.>])(?:exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|atan2|erf|erfc|tgamma|lgamma|cbrt|hypot)[fl]?\s*\(/, qr{^src/(?:app/|ops/cases/)}, "asks the libm, whose bits differ between machines" ],
        [ qr/\b_mm\d*_\w+|\b__m(?:128|256|512)\w*|\b(?:imm|arm_neon)intrin\b|<immintrin\.h>|<arm_neon\.h>|\bfloat32x4_t\b/, qr{^src/kernels/}, "names an intrinsic outside src/kernels" ],
        [ qr/\bpthread_\w+|<pthread\.h>|<threads\.h>|#\s*pragma\s+omp/, qr{^src/base/}, "names threads outside src/base" ],
        [ qr/\b(?:mmap|munmap|madvise)\s*\(|<sys\/mman\.h>/, qr{^src/base/}, "maps memory outside src/base" ],
        [ qr/<sys\/socket\.h>|<netinet\/|\bsocket\s*\(/, qr{^src/(?:http|flow)/}, "names a socket" ],
        [ qr/\b(?:signal|sigaction)\s*\(/, qr{^src/app/}, "handles signals outside src/app" ],
    );

    # Known and meant: a node of three sources, named; a recurrent layer with its five tensors; a
    # callback as libmicrohttpd wants it.
    my %wide = (heed__record3 => 1, heed_gru => 1, heed_lstm => 1, heed__on_call => 1);

    while (my $file = <STDIN>) {
        chomp $file;
        my $ours = $file =~ m{^(?:src|include)/};
        open my $f, "<", $file or die "$file: $!\n";
        my @lines = <$f>;
        my $cap = $file =~ /\.h$/ ? 400 : 800;
        bad($file, scalar @lines, scalar(@lines) . " lines, more than $cap")
            if @lines > $cap && $file !~ /_data\.[ch]$/;
        for my $i (0 .. $#lines) {
            (my $line = $lines[$i]) =~ s/\n$//;
            bad($file, $i + 1, length($line) . " columns, more than 100") if length $line > 100;
            bad($file, $i + 1, "a tab") if $line =~ /\t/;
            bad($file, $i + 1, "snprintf of a number with a point follows the locale; heed__format does not")
                if $ours && $file !~ m{^src/(?:app/|base/text\.c)} && $line =~ /\bsnprintf\s*\([^;]*%[-+ 0#]*[\d.*]*[aefgAEFG]/;
            bad($file, $i + 1, "unfinished work") if $ours && $line =~ /\b(?:TO\x44O|FIX\x4dE|X\x58X|HA\x43K)\b/;
        }
        next unless $ours || $file =~ m{^examples/};

        # Comments and literals become blanks, lines stay lines.
        my $text = join "", @lines;
        $text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\x27(?:\\.|[^\x27\\\n])*\x27)}
                  { my $s = $1; $s =~ m{^"[^"]*\.h"$} ? $s : $s =~ s/[^\n]/ /gr }gse;
        my @code = split /\n/, $text, -1;
        if ($ours) {
            for my $i (0 .. $#code) {
                for my $w (@words) {
                    next if $file =~ $w->[1] || $code[$i] !~ $w->[0];
                    bad($file, $i + 1, $w->[2] . ": " . ($code[$i] =~ /($w->[0])/ ? $1 =~ s/\s*\($//r : ""));
                }
            }
        }
        for my $i (0 .. $#code) { # a statement in the body of a function stands 4 columns in
            next unless $code[$i] =~ /^( {20,})(?:if|for|while|do|switch)\b/;
            bad($file, $i + 1, "nesting " . length($1) / 4 . ", more than 4");
        }
        next if $file =~ /_data\.[ch]$/;

        # Functions: text before a { at depth 0 that ends in ).
        my $body = $text =~ s/^[ ]*#(?:[^\n]*\\\n)*[^\n]*/ ($& =~ s{[^\n]}{ }gr) /gmer;
        my ($depth, $start, $line, $head, $open, $name, $count) = (0, 0, 1, "", 0, "", 0);
        for my $c (split //, $body) {
            if ($depth == 0) {
                if ($c eq "{") {
                    ($name, my $args) = $head =~ /(\w+)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*$/s;
                    if (defined $name) {
                        $args =~ s/\((?:[^()]|\([^()]*\))*\)//g;
                        my $n = 1 + ($args =~ tr/,//);
                        bad($file, $start, "$name has $n parameters, more than 6")
                            if $n > 6 && $file !~ m{^src/kernels/} && !$wide{$name};
                        $open = 1;
                    }
                    $depth = 1;
                    $count = $start || $line;
                } elsif ($c eq ";" || $c eq "}") { ($head, $start) = ("", 0) }
                else { $start ||= $line if $c =~ /\S/; $head .= $c }
            } elsif ($c eq "{") { $depth++ }
            elsif ($c eq "}" && --$depth == 0) {
                my $n = $line - $count + 1;
                bad($file, $count, "$name has $n lines, more than 60") if $open && $n > 60;
                ($head, $start, $open) = ("", 0, 0);
            }
            $line++ if $c eq "\n";
        }
    }
    exit $bad;
'
