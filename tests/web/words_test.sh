#!/usr/bin/env bash
# The page's words: both languages have the same keys, each with the same {places}; every key that
# the code asks for is there.
set -euo pipefail
perl -Mutf8 -CSD - web/lang/en.js web/lang/zh.js <<'PERL'
use strict; use warnings;
my (%words, $bad);
sub bad { print "@_\n"; $bad = 1 }
for my $file (@ARGV) {
    open my $f, "<:utf8", $file or die "$file: $!";
    local $/;
    my $text = <$f>;
    while ($text =~ /(?:"([\w.]+)"|\b([a-z]+)): "((?:[^"\\]|\\.)*)"/g) {
        my $key = $1 // $2;
        bad("$file: '$key' stands there twice") if exists $words{$file}{$key};
        $words{$file}{$key} = $3;
    }
}
my ($en, $zh) = @words{@ARGV};
bad("not in both: $_") for grep { !(exists $en->{$_} && exists $zh->{$_}) } sort keys %{{ %$en, %$zh }};
for my $key (sort keys %$en) {
    my $places = sub { my %p; $p{$1} = 1 while $_[0] =~ /\{(\w+)\}/g; join " ", sort keys %p };
    my ($a, $b) = ($places->($en->{$key}), $places->($zh->{$key} // ""));
    bad("$key: places are '$a' and '$b'") if $a ne $b;
}
my $asked = 0;
for my $file (glob "web/js/*.js web/js/views/*.js") {
    open my $f, "<:utf8", $file or die "$file: $!";
    while (<$f>) {
        while (/\bt\("([\w.]+)"(\s*\+)?/g) {
            $asked++;
            my ($key, $more) = ($1, $2);
            my $there = $more ? grep { index($_, $key) == 0 } keys %$en : exists $en->{$key};
            bad("$file:$.: no words for '$key'") unless $there;
        }
    }
}
bad("only $asked words are asked for: is this test right?") if $asked < 100;
exit($bad ? 1 : 0);
PERL
