#!/usr/bin/env bash
# check_layers.sh [ROOT]: every #include under src/ and include/ against tools/layers.txt.
# A violation is printed as `file:line: text may not include models`.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

find src include -name '*.[ch]' -o -name '*.inc' | LC_ALL=C sort | perl -e '
    use strict; use warnings;
    my (%may, $bad);
    my %of = (attention => "ops", embed => "tasks", classify_cfg => "tasks"); # public headers of a layer beside its own
    open my $t, "<", "tools/layers.txt" or die "tools/layers.txt: $!\n";
    while (<$t>) {
        next if /^\s*(#|$)/;
        /^(\w+):\s*(.*)$/ or die "tools/layers.txt:$.: not of the form layer: layers\n";
        $may{$1} = { map { $_ => 1 } $1, split " ", $2 };
    }
    my %is_header = map { chomp; $_ => 1 } my @files = <STDIN>;
    for my $file (@files) {
        my ($public, $layer) = $file =~ m{^include/heed/(\w+)\.h$} ? (1, $1) : (0, "");
        $layer = $1 if $file =~ m{^src/(\w+)/};
        $layer = $of{$layer} // $layer if $public;
        next if $public && $layer eq "heed";          # the header that includes all others
        if (!$may{$layer}) { print "$file:1: layer $layer is not in tools/layers.txt\n"; $bad = 1; next }
        open my $f, "<", $file or die "$file: $!\n";
        while (<$f>) {
            next unless m{^\s*#\s*include\s*["<](heed/)?(\w+)(?:/[\w/]*)?(?:\.\w+)?[">]};
            my ($head, $to) = ($1, $2);
            my ($path) = m{["<]([^">]*)[">]};
            next unless $head || $is_header{"src/$path"};
            $to = $of{$to} // $to if $head;
            next if $may{$layer}{$to} || $may{$layer}{$path};
            print "$file:$.: $layer may not include $to\n";
            $bad = 1;
        }
    }
    exit($bad ? 1 : 0);
'
