#!/usr/bin/perl
# hello - greets its first argument.
#
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use JSON::PP;

my $args = decode_json(do { local $/; <STDIN> });
if (@$args != 1) {
	print STDERR "one name is expected\n";
	exit 65;    # no retry will mend it
}
binmode STDOUT, ':encoding(UTF-8)';
print "hello, $args->[0]\n";
