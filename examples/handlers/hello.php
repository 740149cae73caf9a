#!/usr/bin/php
<?php
// hello - greets its first argument.
//
// SPDX-License-Identifier: ISC

$args = json_decode(stream_get_contents(STDIN), false, 512, JSON_THROW_ON_ERROR);
if (count($args) != 1) {
    fwrite(STDERR, "one name is expected\n");
    exit(65); // no retry will mend it
}
echo "hello, $args[0]\n";
