# client.rb CASE - one promise about the Ruby client, checked through its public
# interface against the server at FAKTORY_URL. Silent and 0 when it holds;
# status 1 with the reason when it does not.
#
# SPDX-License-Identifier: ISC
require "faktory_worker_ruby"
require "faktory/mutate"
require "openssl"
require "securerandom"
require "time"

LONG = 90 # seconds for what needs no time of its own, on a busy machine

def expect(got, want, what)
  abort "#{what}: #{got.inspect}, expected #{want.inspect}" unless got == want
end

# A connection of its own; nothing is sent again that was only slow.
def client
  connection = Faktory::Client.new(timeout: LONG)
  yield connection
ensure
  connection&.close
end

def job(jobtype, *args, **members)
  { "jid" => SecureRandom.hex(12), "jobtype" => jobtype, "args" => args }.merge(
    members.transform_keys(&:to_s))
end

def push(*jobs)
  client { |c| jobs.each { |j| expect(c.push(j), j["jid"], "answer to PUSH") } }
end

def info
  client { |c| return c.info["faktory"] }
end

# The next job of the queue, for which several FETCHes may be needed.
def fetch(connection, seconds = LONG)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  loop do
    got = connection.fetch("default")
    return got if got
    abort "no job came" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
  end
end

def break_it(connection, jid)
  raise ArgumentError, "as asked"
rescue ArgumentError => error
  connection.fail(jid, error)
end

# A worker has a wid, which the gem makes up, and must beat.
def worker(&work)
  Faktory::Client.worker!
  client(&work)
end

CASES = {
  "push" => lambda {
    push(job("note", 1))
    expect(info["queues"]["default"], 1, "size of the queue")
  },
  "scheduled" => lambda {
    due = Time.now + 1.5
    push(job("note", at: (Time.now + 3600).utc.iso8601(6)),
         job("note", at: due.utc.iso8601(6)))
    worker { |c| c.ack(fetch(c)["jid"]) }
    expect(Time.now >= due - 0.000001, true, "the job came after its time")
    expect(info["sets"]["scheduled"], 1, "scheduled jobs")
  },
  "fetch and ack" => lambda {
    args = ["grün <&>", 2.5, 9007199254740991, nil, [{ "a" => true }]]
    pushed = job("note", *args, custom: { "tenant" => "a b" })
    push(pushed)
    worker do |c|
      got = fetch(c)
      expect([got["jid"], got["args"], got["custom"]],
             [pushed["jid"], args, { "tenant" => "a b" }], "the job")
      expect(c.ack(got["jid"]), true, "answer to ACK")
    end
    expect([info["total_processed"], info["sets"]["working"]], [1, 0], "done, reserved")
  },
  "fail" => lambda {
    push(job("breaks"))
    worker { |c| expect(break_it(c, fetch(c)["jid"]), true, "answer to FAIL") }
    now = info
    expect([now["sets"]["retries"], now["sets"]["working"], now["total_failures"]], [1, 0, 1],
           "to be retried, reserved, failures")
  },
  "retry" => lambda {
    push(job("once"))
    worker do |c|
      break_it(c, fetch(c)["jid"])
      again = fetch(c, 44 + LONG) # due after 15 to 44 s
      expect([again["failure"]["errtype"], again["failure"]["message"]],
             ["ArgumentError", "as asked"], "what had failed")
      c.ack(again["jid"])
    end
    expect([info["total_failures"], info["sets"]["retries"]], [1, 0], "failures, to be retried")
  },
  "beat" => lambda {
    worker { |c| 3.times { expect(c.beat, "OK", "answer to BEAT") } }
  },
  "password" => lambda { CASES["push"].call },
  "wrong password" => lambda {
    begin
      client { abort "a wrong password was accepted" }
    rescue Faktory::CommandError => error
      expect(error.message.include?("Invalid password"), true, "the error names the password")
    end
  },
  "unknown certificate" => lambda {
    begin
      client { abort "a certificate that nobody signed was accepted" }
    rescue OpenSSL::SSL::SSLError => error
      expect(error.message.include?("certificate verify failed"), true, "the error says why")
    end
  },
  "mutate" => lambda {
    jobs = %w[note note other].map { |type| job(type, at: (Time.now + 3600).utc.iso8601(6)) }
    push(*jobs)
    client { |c| c.discard(Faktory::SCHEDULED) { |f| f.with_type("other") } }
    expect(info["sets"]["scheduled"], 2, "scheduled jobs")
    client { |c| c.kill(Faktory::SCHEDULED) { |f| f.jids << jobs[0]["jid"] } }
    expect(info["sets"]["dead"], 1, "dead jobs")
    client { |c| c.requeue(Faktory::SCHEDULED) { |f| f.matching("*note*") } }
    expect(info["queues"]["default"], 1, "size of the queue")
    client { |c| c.clear(Faktory::DEAD) }
    expect(info["sets"]["dead"], 0, "dead jobs")
  },
}.freeze

CASES.fetch(ARGV[0]).call
