#!/bin/sh
# hello - the smallest handler. Try it: push hello world
#
# SPDX-License-Identifier: ISC
read -r args                # ["world"]: the arguments, as JSON on stdin
echo "hello, $args"         # what is printed goes to the log
exit 0                      # done; 75: later; 65: never again; else: retry
