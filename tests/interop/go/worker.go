// The cases that need faktory_worker_go's own worker.
//
// SPDX-License-Identifier: ISC
package main

import (
	"context"
	"fmt"
	"os"

	worker "github.com/contribsys/faktory_worker_go"
)

type quietly struct{}

func (quietly) Debug(v ...any)            {}
func (quietly) Debugf(f string, v ...any) {}
func (quietly) Info(v ...any)             {}
func (quietly) Infof(f string, v ...any)  {}
func (quietly) Warn(v ...any)             {}
func (quietly) Warnf(f string, v ...any)  {}
func (quietly) Error(v ...any)            { fmt.Fprintln(os.Stderr, v...) }
func (quietly) Errorf(f string, v ...any) { fmt.Fprintf(os.Stderr, f+"\n", v...) }
func (quietly) Fatal(v ...any)            { die("%s", fmt.Sprint(v...)) }
func (quietly) Fatalf(f string, v ...any) { die(f, v...) }

func newManager(wid string) *worker.Manager {
	mgr := worker.NewManager()
	mgr.ProcessWID = wid
	mgr.Concurrency = 4
	mgr.Labels = []string{"interop"}
	mgr.Logger = quietly{}
	mgr.ProcessStrictPriorityQueues("critical", "default")
	mgr.Register("fine", func(ctx context.Context, args ...interface{}) error { return nil })
	mgr.Register("breaks", func(ctx context.Context, args ...interface{}) error {
		return fmt.Errorf("as asked")
	})
	return mgr
}

func work() {
	mgr := newManager("go-work-12345")
	cl := connect("")
	for i := range 40 {
		job := newJob("fine", i)
		if i%10 == 0 {
			job.Type = "breaks"
		}
		if i%2 == 0 {
			job.Queue = "critical"
		}
		must(cl.Push(job), "PUSH")
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.RunWithContext(ctx) }()
	await(long, "40 jobs to end", func() bool { return state(cl).TotalProcessed == 40 })
	s := state(cl)
	equal(s.TotalFailures, uint64(4), "failures")
	equal(s.Sets["retries"], uint64(4), "jobs to be retried")
	equal(s.Sets["working"], uint64(0), "reservations")
	cancel()
	<-ended
}

// obey runs until the server says terminate, and tells when it has heard
// quiet. Its driver decides when that is.
func obey() {
	mgr := newManager("go-obey-12345")
	mgr.On(worker.Quiet, func(*worker.Manager) error {
		fmt.Println("quiet")
		return nil
	})
	must(mgr.Run(), "run")
}
