// client CASE - one promise about the Go client and worker, checked through
// their public interface against the server at FAKTORY_URL. Silent and 0
// when it holds; status 1 with the reason when it does not.
//
// SPDX-License-Identifier: ISC
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/contribsys/faktory/client"
)

var cases = map[string]func(){
	"push":           push,
	"bulk push":      bulkPush,
	"scheduled":      scheduled,
	"fetch and ack":  fetchAndAck,
	"fail":           fail,
	"retry":          retry,
	"beat":           beat,
	"work":           work,
	"obey":           obey,
	"password":       push,
	"wrong password": wrongPassword,
	"mutate":         mutate,

	"unknown certificate": unknownCertificate,
	"produce":             produce,
}

func main() {
	run, known := cases[os.Args[1]]
	if !known {
		die("no such case: %s", os.Args[1])
	}
	run()
}

func die(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		die("%s: %v", what, err)
	}
}

func equal(got, want any, what string) {
	if !reflect.DeepEqual(got, want) {
		die("%s: %v, expected %v", what, got, want)
	}
}

// Seconds for what needs no time of its own, on a busy machine.
const long = 90

// open dials with more patience than the library has by itself. A server
// gives two seconds for the handshake, which a busy machine may miss: then
// once more.
func open() (*client.Client, error) {
	srv := client.DefaultServer()
	must(srv.ReadFromEnv(), "the environment")
	srv.Timeout = long * time.Second
	for end := time.Now().Add(long * time.Second); ; {
		cl, err := srv.Open()
		if errors.Is(err, io.EOF) && time.Now().Before(end) {
			continue
		}
		return cl, err
	}
}

// connect opens a connection: a worker's, if wid is not empty.
func connect(wid string) *client.Client {
	client.RandomProcessWid = wid
	cl, err := open()
	must(err, "connect")
	return cl
}

func state(cl *client.Client) client.DataSnapshot {
	s, err := cl.CurrentState()
	must(err, "INFO")
	return s.Data
}

func newJob(jobtype string, args ...any) *client.Job {
	job := client.NewJob(jobtype, append([]any{}, args...)...)
	retries := 5
	job.Retry = &retries
	return job
}

// await asks until holds is true; it knows how long that may take.
func await(seconds int, what string, holds func() bool) {
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for !holds() {
		if time.Now().After(end) {
			die("gave up after %d s waiting for %s", seconds, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func fetch(cl *client.Client) *client.Job {
	var job *client.Job
	await(long, "a job", func() bool {
		var err error
		job, err = cl.Fetch("default")
		must(err, "FETCH")
		return job != nil
	})
	return job
}

func push() {
	cl := connect("")
	must(cl.Push(newJob("note", 1)), "PUSH")
	sizes, err := cl.QueueSizes()
	must(err, "queue sizes")
	equal(sizes["default"], uint64(1), "size of the queue")
}

func bulkPush() {
	cl := connect("")
	jobs := make([]*client.Job, 1000)
	for i := range jobs {
		jobs[i] = newJob("note", i)
	}
	bad := newJob("note")
	bad.Type = ""
	refused, err := cl.PushBulk(append(jobs, bad))
	must(err, "PUSHB")
	equal(len(refused), 1, "refused jobs")
	if !strings.Contains(refused[bad.Jid], "jobtype") {
		die("the reason names no jobtype: %q", refused[bad.Jid])
	}
	sizes, err := cl.QueueSizes()
	must(err, "queue sizes")
	equal(sizes["default"], uint64(1000), "size of the queue")
}

func scheduled() {
	cl := connect("go-scheduled")
	// Of two: one to be seen waiting, however long that takes, one to come.
	much := newJob("much later")
	much.At = time.Now().Add(time.Hour).Format(time.RFC3339Nano)
	must(cl.Push(much), "PUSH")
	equal(state(cl).Sets["scheduled"], uint64(1), "scheduled jobs")

	at := time.Now().Add(1500 * time.Millisecond)
	job := newJob("later")
	job.At = at.Format(time.RFC3339Nano)
	must(cl.Push(job), "PUSH")
	got := fetch(cl)
	equal(got.Jid, job.Jid, "jid")
	if time.Now().Before(at) {
		die("the job came before its time")
	}
	equal(state(cl).Sets["scheduled"], uint64(1), "scheduled jobs")
}

func fetchAndAck() {
	cl := connect("go-fetch-ack")
	job := newJob("shapes", "grün <&>", 2.5, 9007199254740991, nil, []any{map[string]any{"a": true}})
	job.SetCustom("tenant", "a b")
	must(cl.Push(job), "PUSH")

	got := fetch(cl)
	equal(got.Jid, job.Jid, "jid")
	equal(got.Type, "shapes", "jobtype")
	equal(fmt.Sprint(got.Args), fmt.Sprint([]any{"grün <&>", 2.5, 9007199254740991.0, nil,
		[]any{map[string]any{"a": true}}}), "args")
	tenant, _ := got.GetCustom("tenant")
	equal(tenant, "a b", "custom value")
	if got.EnqueuedAt == "" || got.CreatedAt == "" {
		die("a time is missing: created %q, enqueued %q", got.CreatedAt, got.EnqueuedAt)
	}
	equal(state(cl).Sets["working"], uint64(1), "reservations")
	must(cl.Ack(got.Jid), "ACK")
	s := state(cl)
	equal(s.Sets["working"], uint64(0), "reservations")
	equal(s.TotalProcessed, uint64(1), "processed jobs")
	none, err := cl.Fetch("default")
	must(err, "FETCH of an empty queue")
	if none != nil {
		die("an empty queue gave %v", none)
	}
}

func fail() {
	cl := connect("go-fail")
	must(cl.Push(newJob("breaks")), "PUSH")
	job := fetch(cl)
	must(cl.Fail(job.Jid, fmt.Errorf("broken: %s", "ä"), nil), "FAIL")
	s := state(cl)
	equal(s.Sets["retries"], uint64(1), "jobs to be retried")
	equal(s.Sets["working"], uint64(0), "reservations")
	equal(s.TotalFailures, uint64(1), "failures")
	if err := cl.Fail("no-such-job", fmt.Errorf("x"), nil); err == nil {
		die("FAIL of an unknown job was accepted")
	}
}

func retry() {
	cl := connect("go-retry")
	must(cl.Push(newJob("breaks")), "PUSH")
	job := fetch(cl)
	must(cl.Fail(job.Jid, fmt.Errorf("not yet"), nil), "FAIL")

	// The first retry is due after 15 to 44 s.
	for end := time.Now().Add((44 + long) * time.Second); time.Now().Before(end); {
		_, err := cl.Beat()
		must(err, "BEAT")
		again, err := cl.Fetch("default")
		must(err, "FETCH")
		if again == nil {
			continue
		}
		equal(again.Jid, job.Jid, "jid")
		equal(again.Failure.RetryCount, 0, "retry count")
		equal(again.Failure.ErrorMessage, "not yet", "message")
		must(cl.Ack(again.Jid), "ACK")
		equal(state(cl).Sets["retries"], uint64(0), "jobs to be retried")
		return
	}
	die("no retry in time")
}

func beat() {
	cl := connect("go-beat-12345")
	for _, step := range []struct{ report, want string }{
		{"", ""}, {"quiet", "quiet"}, {"", "quiet"}, {"terminate", "terminate"},
	} {
		var got string
		var err error
		if step.report == "" {
			got, err = cl.Beat()
		} else {
			got, err = cl.Beat(step.report)
		}
		must(err, "BEAT")
		if !strings.Contains(got, step.want) || step.want == "" && got != "" {
			die("after %q the server said %q, expected %q", step.report, got, step.want)
		}
	}
}

func wrongPassword() {
	if _, err := open(); err == nil {
		die("a wrong password was accepted")
	} else if !strings.Contains(err.Error(), "Invalid password") {
		die("the error names no password: %v", err)
	}
}

func mutate() {
	cl := connect("")
	var jids []string
	for _, jobtype := range []string{"note", "note", "other"} {
		job := newJob(jobtype)
		job.At = time.Now().Add(time.Hour).Format(time.RFC3339Nano)
		must(cl.Push(job), "PUSH")
		jids = append(jids, job.Jid)
	}
	must(cl.Discard(client.Scheduled, client.OfType("other")), "discard")
	equal(state(cl).Sets["scheduled"], uint64(2), "scheduled jobs")
	must(cl.Kill(client.Scheduled, client.WithJids(jids[0])), "kill")
	equal(state(cl).Sets["dead"], uint64(1), "dead jobs")
	must(cl.Requeue(client.Scheduled, client.Everything), "requeue")
	equal(state(cl).Queues["default"], uint64(1), "size of the queue")
	must(cl.Clear(client.Dead), "clear")
	equal(state(cl).Sets["dead"], uint64(0), "dead jobs")
}

func unknownCertificate() {
	if _, err := open(); err == nil {
		die("an unknown certificate was accepted")
	} else if !strings.Contains(err.Error(), "certificate") {
		die("the error names no certificate: %v", err)
	}
}

// produce JOBTYPE COUNT - pushes jobs for somebody else to work on.
func produce() {
	count, err := strconv.Atoi(os.Args[3])
	must(err, "count")
	cl := connect("")
	for i := range count {
		must(cl.Push(newJob(os.Args[2], i)), "PUSH")
	}
}
