#!/usr/bin/perl
# generate-report DATABASE REPORT -- TITLE - an HTML page about a database.
#
# The page appears under its name only once it is whole.
#
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use JSON::PP;

my ($database, $report, undef, $title) = @ARGV;

sub query {
	my ($sql) = @_;
	open my $from, '-|', 'sqlite3', '-readonly', '-json', $database, $sql
	    or die "sqlite3: $!\n";
	my $text = do { local $/; <$from> };
	close $from or die "sqlite3 ended with $?\n";
	return $text ? @{ decode_json($text) } : ();
}

sub html {
	my ($text) = @_;
	my %as = ('<' => '&lt;', '>' => '&gt;', '&' => '&amp;', '"' => '&quot;');
	$text =~ s/([<>&"])/$as{$1}/g;
	return $text;
}

my %type = (A => 'ancient', C => 'constructed', E => 'extinct',
	H => 'historical', L => 'living', S => 'special');
my ($all) = query('SELECT count(*) AS n FROM language');
my @types = query('SELECT type, count(*) AS n FROM language
	GROUP BY type ORDER BY n DESC');
my @longest = query('SELECT id, name FROM language
	ORDER BY length(name) DESC, id LIMIT 10');

open my $page, '>:encoding(UTF-8)', "$report.new" or die "$report.new: $!\n";
print $page "<!doctype html><meta charset=utf-8><title>", html($title),
    "</title>\n<h1>", html($title), "</h1>\n<p>$all->{n} languages</p>\n";
print $page "<table>\n";
printf $page "<tr><td>%s<td>%d\n", html($type{ $_->{type} } // $_->{type}),
    $_->{n} for @types;
print $page "</table>\n<h2>The longest names</h2>\n<ol>\n";
printf $page "<li>%s (%s)\n", html($_->{name}), html($_->{id}) for @longest;
print $page "</ol>\n";
close $page or die "$report.new: $!\n";
rename "$report.new", $report or die "$report: $!\n";
print "$all->{n} languages reported\n";
