"""PUSH and PUSHB: what goes in comes out, and defaults are always the same.

SPDX-License-Identifier: ISC
"""
import json
import re

import pytest

from support.client import compact, new_job

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")


def test_bytes_of_arguments_are_preserved(client):
    """A stock server reads numbers as doubles: ids above 2^53 change. Ours
    must hand out every token and every unknown member as it was pushed."""
    args = ('[9007199254740993,12345678901234567890,1.0,1e400,-0,0.1e+1,'
        '{"z":1,"a":{"y":[],"x":2},"z":3},"<&>\\u003c\\u2028 \\ud83d\\ude00 é",'
        'true,null,""]')
    custom = '{"zz":1.50,"aa":9007199254740993}'
    client.ok('PUSH {"args":%s,"jid":"12345678","priority":5,"jobtype":"t","custom":%s,'
        '"more":[1.00]}' % (args, custom))
    raw = client.fetch_raw().decode()
    assert f'"args":{args}' in raw
    assert f'"custom":{custom}' in raw
    assert '"more":[1.00]' in raw
    assert '"priority":5' in raw


def test_defaults_are_filled_in(client):
    """A minimal job is delivered with queue, retry, created_at, enqueued_at
    and what was pushed; optional fields that are absent stay absent."""
    client.ok('PUSH {"jid":"12345678","jobtype":"t","args":[]}')
    job = client.fetch()
    assert TIME.match(job.pop("created_at"))
    assert TIME.match(job.pop("enqueued_at"))
    assert job == {"jid": "12345678", "jobtype": "t", "args": [], "queue": "default",
        "retry": 25}


def test_default_retry_is_always_25(client):
    """A stock server's default becomes the last explicit retry, so that one
    fire-and-forget job turns everyone's jobs into such. Ours stays 25."""
    client.push(new_job(retry=0, queue="other"))
    client.error('PUSH {"jid":"x","retry":0}')
    client.push(new_job(retry=None))
    client.ok("PUSH " + compact(dict(new_job(), retry=None)))
    client.pushb([new_job(retry=3), new_job(retry=None)])
    assert [client.fetch()["retry"] for _ in range(4)] == [25, 25, 3, 25]


def test_created_at_of_the_client_is_kept(client):
    """created_at is the producer's; the server fills it in only when empty."""
    client.push(created_at="2001-02-03T04:05:06.700Z")
    client.push(created_at="")
    assert client.fetch()["created_at"] == "2001-02-03T04:05:06.700Z"
    assert TIME.match(client.fetch()["created_at"])


def test_enqueued_at_of_the_client_is_not_believed(client):
    """enqueued_at is the server's word, for latency; a client cannot set it."""
    client.push(enqueued_at="2001-02-03T04:05:06Z")
    raw = client.fetch_raw().decode()
    assert raw.count('"enqueued_at"') == 1
    assert "2001" not in raw


def test_a_failure_that_is_pushed_counts(client):
    """A job that is moved from another server comes with what it has behind
    it: its attempts go on from there."""
    failure = {"retry_count": 1, "remaining": 1, "failed_at": "2026-11-24T00:00:00Z",
        "next_at": "2026-11-24T00:01:00Z", "message": "boom", "errtype": "E"}
    job = client.push(retry=3, failure=failure)
    assert client.fetch()["failure"] == failure
    client.fail(job["jid"], "E", "again")
    client.mutate("requeue", "retries")
    got = client.fetch()["failure"]
    assert (got["retry_count"], got["failed_at"], got["message"]) == \
        (2, "2026-11-24T00:00:00Z", "again")
    client.fail(job["jid"])
    assert client.sets()["dead"] == 1


def test_keys_match_in_any_case(client):
    """Stock servers match keys without case; such producers exist."""
    client.ok('PUSH {"JID":"12345678","JobType":"t","Args":[1],"QUEUE":"q1"}')
    job = client.fetch("q1")
    assert (job["jid"], job["jobtype"], job["args"], job["queue"]) == \
        ("12345678", "t", [1], "q1")


def test_empty_and_null_queue_is_default(client):
    """An empty or null queue means `default`."""
    client.push(queue="")
    client.ok('PUSH {"jid":"12345678","jobtype":"t","args":[],"queue":null}')
    assert client.size() == 2
    assert client.fetch()["queue"] == "default"


@pytest.mark.parametrize("queue", ["a", "A.b_c-9", "q" * 200])
def test_queue_names(client, queue):
    """Every name of the allowed characters is a queue."""
    client.push(queue=queue)
    assert client.faktory()["queues"] == {queue: 1}
    assert client.fetch(queue)["queue"] == queue


def test_future_job_with_a_bad_queue_is_refused(client):
    """A stock server says +OK and destroys the job when its time comes."""
    text = client.error("PUSH " + compact(new_job(queue="a b!", at="2999-01-01T00:00:00Z"))
        .replace("2999", "2199"))
    assert text.startswith('ERR cannot get "a b!" queue')
    assert client.sets()["scheduled"] == 0


def test_spaces_within_json(client):
    """Standard encoders put spaces after ',' and ':'; two spaces before the
    argument are taken as well."""
    client.ok("PUSH " + json.dumps(new_job("spaced", {"a": [1, 2]})))
    client.ok("PUSH  " + json.dumps(new_job("twice")))
    assert client.fetch()["args"] == [{"a": [1, 2]}]
    assert client.fetch()["jobtype"] == "twice"


def test_line_feed_alone_ends_a_request(client):
    """LF without CR is accepted everywhere."""
    client.send(compact(new_job()).join(["PUSH ", "\n"]))
    assert client.reply() == "OK"
    client.send("FETCH default\n")
    assert b'"jid"' in client.reply()


def test_a_megabyte_comes_through(client):
    """Large payloads are normal: nothing on the way depends on a buffer size."""
    blob = "0123456789abcdef" * (5 * 65536)
    client.push(new_job("big", blob))
    assert client.fetch()["args"] == [blob]


def test_past_at_is_enqueued_at_once(client):
    """`at` in the past or now: no detour over the scheduled set."""
    client.push(at="2001-01-01T00:00:00Z")
    client.push(at="")
    assert client.size() == 2
    assert client.sets()["scheduled"] == 0


def test_duplicate_jids_are_two_jobs(client):
    """Nothing checks that jids are unique; each copy is run and settled."""
    job = client.push()
    client.push(job)
    assert client.fetch()["jid"] == job["jid"]
    assert client.fetch()["jid"] == job["jid"]
    assert client.sets()["working"] == 2
    client.ack(job["jid"])
    client.ack(job["jid"])
    assert client.sets()["working"] == 0
    assert client.faktory()["total_processed"] == 2


def test_pushb_says_which_were_refused(client):
    """PUSHB is not all or nothing: the map names what was refused, the rest
    is pushed."""
    good, late = new_job(), new_job(at="2199-01-01T00:00:00Z")
    bad_queue, no_type = new_job(queue="a b"), new_job(jobtype=None)
    no_type.pop("jobtype", None)
    answer = client.pushb([good, bad_queue, no_type, late])
    assert set(answer) == {bad_queue["jid"], no_type["jid"]}
    assert "queue names must match" in answer[bad_queue["jid"]]
    assert "jobtype" in answer[no_type["jid"]]
    assert client.size() == 1
    assert client.sets()["scheduled"] == 1


def test_pushb_of_nothing(client):
    """An empty list and null are accepted: {}."""
    assert client.call("PUSHB []") == b"{}"
    assert client.call("PUSHB null") == b"{}"
    assert client.call("PUSHB [ ]") == b"{}"


def test_pushb_without_jids_reports_under_the_empty_key(client):
    """Elements without a jid have one common entry, as a stock server does."""
    answer = client.pushb([{"jobtype": "t", "args": []}, {"jobtype": "t", "args": []}])
    assert list(answer) == [""]
    assert "jid" in answer[""]
    assert client.faktory()["queues"].get("default", 0) == 0


def test_pushb_type_error_pushes_nothing(client):
    """A type error anywhere is an error for the whole call."""
    text = client.error("PUSHB " + compact([new_job(), dict(new_job(), args="x")]))
    assert text.startswith("ERR invalid JSON: ")
    assert client.size() == 0


def test_pushb_of_ten_thousand(client):
    """Ten thousand jobs in one call, delivered in their order."""
    jobs = [new_job("bulk", i) for i in range(10_000)]
    assert client.pushb(jobs) == {}
    assert client.size() == 10_000
    first = [client.fetch()["args"][0] for _ in range(100)]
    assert first == list(range(100))
    info = client.faktory()
    assert info["total_enqueued"] == 9_900
    assert info["sets"]["working"] == 100


def test_pushb_of_one_million_bytes_is_one_answer(client):
    """A refused job in a large call is still found by its jid."""
    jobs = [new_job("bulk", "x" * 100) for _ in range(5_000)]
    jobs[4_321]["queue"] = "no such name!"
    assert list(client.pushb(jobs)) == [jobs[4_321]["jid"]]
    assert client.size() == 4_999
