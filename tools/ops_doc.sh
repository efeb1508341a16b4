#!/usr/bin/env bash
# ops_doc.sh [ROOT] > docs/OPS.md: the manual page of all operations, made from src/ops/list.h (which
# there are), the public headers (how they are called) and the comment that opens src/ops/<op>.c
# (what they compute). A test checks that the committed page is the one that this prints.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

LC_ALL=C perl -e '
    use strict; use warnings;
    sub slurp { local (@ARGV, $/) = @_; my $text = <>; $text }

    my $headers = join "\n", map { slurp($_) } sort glob "include/heed/*.h";
    print "# Operations\n\n";
    print "Made by tools/ops_doc.sh from src/ops/list.h, the public headers and the files of the\n";
    print "operations; `include/heed/ops.h` and `attention.h` say what holds for all of them.\n";

    my $bad = 0;
    my $list = slurp("src/ops/list.h");
    $list =~ s{^/\*.*?\*/}{}s;
    for my $line (split /\n/, $list) {
        if ($line =~ m{^/\* (.*) \*/$}) { print "\n## ", ucfirst $1, "\n" }
        next unless $line =~ /^X\((\w+)\)$/;
        my ($op, $file) = ($1, "src/ops/$1.c");
        my ($call) = $headers =~ /HEED_API\s+(heed_tensor\s*\*\s*heed_$op\s*\([^;]*?\));/s;
        my ($what) = -e $file ? slurp($file) =~ m{\A/\*\s*(.*?)\s*\*/}s : ();
        if (!$call) { print STDERR "$op: no public header has heed_$op\n"; $bad = 1; next }
        if (!$what) { print STDERR "$op: $file does not open with a comment\n"; $bad = 1; next }
        $call =~ s{/\*.*?\*/}{}gs;
        $call =~ s/\s+/ /g;
        $what =~ s/^ \* ?//mg;
        $what =~ s/^\w+\.c\s*[:\x{e2}\x80\x94-]*\s*//;
        print "\n### $op\n\n```c\n$call;\n```\n\n```\n$what\n```\n";
    }
    exit $bad;
'
