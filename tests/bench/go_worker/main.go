// go_worker CONCURRENCY - the worker that somebody would write in Go to run
// a program for each job: what the supervisor is measured against.
//
// SPDX-License-Identifier: ISC
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	worker "github.com/contribsys/faktory_worker_go"
)

func main() {
	concurrency, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	mgr := worker.NewManager()
	mgr.Concurrency = concurrency
	mgr.ProcessStrictPriorityQueues("bench")
	mgr.Register("bench", func(ctx context.Context, args ...interface{}) error {
		return exec.CommandContext(ctx, "/bin/true").Run()
	})
	if err := mgr.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
