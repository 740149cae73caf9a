module faktotum/tests/bench/go_worker

go 1.25

require github.com/contribsys/faktory_worker_go v1.7.0

require github.com/contribsys/faktory v1.8.0 // indirect
