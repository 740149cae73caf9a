// client CASE - one promise about the Rust client and worker, checked through
// their public interface against the server at FAKTORY_URL. Silent and 0 when
// it holds; status 1 with the reason when it does not.
//
// SPDX-License-Identifier: ISC
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use faktory::mutate::{Filter, JobSet};
use faktory::native_tls::TlsStream;
use faktory::{Client, DataSnapshot, Job, JobBuilder, StopReason, Worker, WorkerBuilder, WorkerId};
use serde_json::{json, Value};
use tokio::io::BufStream;
use tokio::net::TcpStream;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

// Seconds for what needs no time of its own, on a busy machine; and for a
// first retry, which is due after 15 to 44 s.
const LONG: u64 = 90;
const RETRY: u64 = 44;

fn equal<T: PartialEq + std::fmt::Debug>(got: T, want: T, what: &str) -> Outcome {
    if got == want {
        return Ok(());
    }
    Err(format!("{what}: {got:?}, expected {want:?}").into())
}

fn by_tls() -> bool {
    std::env::var("FAKTORY_URL").is_ok_and(|url| url.starts_with("tcp+tls:"))
}

/// Host with port, host alone, and the password, out of a URL as this test's
/// driver writes it.
fn parts() -> (String, String, Option<String>) {
    let url = std::env::var("FAKTORY_URL").unwrap_or_default();
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (who, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let password = who.strip_prefix(':').map(str::to_string);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    (address.to_string(), host.to_string(), password)
}

/// It believes the certificate in SSL_CERT_FILE, which OpenSSL reads by itself.
/// Given a URL, the crate would know no scheme but tcp, and would look for the
/// port in the certificate's name too.
async fn tls_stream() -> Result<BufStream<TlsStream<TcpStream>>, Box<dyn Error + Send + Sync>> {
    let (address, host, _) = parts();
    let connector = native_tls::TlsConnector::new()?;
    let stream = TcpStream::connect(address).await?;
    Ok(BufStream::new(
        TlsStream::new(stream, connector, host).await?,
    ))
}

async fn connect() -> Result<Client, Box<dyn Error + Send + Sync>> {
    if !by_tls() {
        return Ok(Client::connect().await?);
    }
    Ok(Client::connect_with(tls_stream().await?, parts().2).await?)
}

async fn connect_worker(
    builder: WorkerBuilder<io::Error>,
) -> Result<Worker<io::Error>, Box<dyn Error + Send + Sync>> {
    if !by_tls() {
        return Ok(builder.connect().await?);
    }
    Ok(builder.connect_with(tls_stream().await?, parts().2).await?)
}

async fn info() -> Result<DataSnapshot, Box<dyn Error + Send + Sync>> {
    Ok(connect().await?.current_info().await?.data)
}

async fn size_of_queue(want: u64) -> Outcome {
    equal(
        *info().await?.queues.get("default").unwrap_or(&0),
        want,
        "size of the queue",
    )
}

async fn push_all(jobs: Vec<Job>) -> Outcome {
    let mut client = connect().await?;
    for job in jobs {
        client.enqueue(job).await?;
    }
    Ok(())
}

fn worker(wid: &str) -> WorkerBuilder<io::Error> {
    Worker::builder()
        .wid(WorkerId::new(wid))
        .workers(4)
        .labels(vec!["interop".to_string()])
        .register_fn("fine", |_| async { Ok(()) })
        .register_fn("breaks", |_| async { Err(io::Error::other("as asked")) })
}

/// Runs the library's worker until the server's numbers are as wanted.
async fn work_until(
    builder: WorkerBuilder<io::Error>,
    seconds: u64,
    done: fn(&DataSnapshot) -> bool,
) -> Outcome {
    let over = async move {
        while !matches!(info().await, Ok(now) if done(&now)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut worker = connect_worker(builder.with_graceful_shutdown(over)).await?;
    let queues = ["critical", "default"];
    let run = worker.run(&queues);
    tokio::time::timeout(Duration::from_secs(seconds), run)
        .await
        .map_err(|_| format!("gave up after {seconds} s waiting for the worker's jobs"))??;
    Ok(())
}

async fn push() -> Outcome {
    push_all(vec![Job::new("note", vec![1])]).await?;
    size_of_queue(1).await
}

async fn bulk_push() -> Outcome {
    let mut jobs: Vec<Job> = (0..1000).map(|i| Job::new("note", vec![i])).collect();
    let bad = Job::new("", Vec::<i32>::new());
    let jid = bad.id().to_string();
    jobs.push(bad);
    let (taken, refused) = connect().await?.enqueue_many(jobs).await?;
    equal(taken, 1000, "jobs that were taken")?;
    let refused = refused.ok_or("no job was refused")?;
    equal(refused.len(), 1, "refused jobs")?;
    equal(
        refused[&jid].contains("jobtype"),
        true,
        "the reason names the jobtype",
    )?;
    size_of_queue(1000).await
}

/// Remembers each job and when it came.
fn noting(builder: WorkerBuilder<io::Error>) -> (WorkerBuilder<io::Error>, Arc<Mutex<Vec<Job>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let builder = builder.register_fn("note", move |job| {
        kept.lock().unwrap().push(job);
        async { Ok(()) }
    });
    (builder, seen)
}

fn at(kind: &str, moment: SystemTime) -> Job {
    JobBuilder::new(kind)
        .at(DateTime::<Utc>::from(moment))
        .build()
}

fn in_future(kind: &str, span: Duration) -> Job {
    at(kind, SystemTime::now() + span)
}

async fn scheduled() -> Outcome {
    let due = SystemTime::now() + Duration::from_millis(1500);
    push_all(vec![
        in_future("note", Duration::from_secs(3600)),
        at("note", due),
    ])
    .await?;
    let (builder, seen) = noting(worker("rust-scheduled-1"));
    work_until(builder, LONG, |now| now.total_processed == 1).await?;
    equal(SystemTime::now() >= due, true, "the job came at its time")?;
    let count = seen.lock().unwrap().len();
    equal(count, 1, "jobs that came")
}

async fn fetch_and_ack() -> Outcome {
    let args = vec![
        json!("grün <&>"),
        json!(2.5),
        json!(9007199254740993u64),
        Value::Null,
        json!([{"a": true}]),
    ];
    let job = JobBuilder::new("note")
        .args(args.clone())
        .add_to_custom_data("tenant", "a b")
        .build();
    let jid = job.id().to_string();
    push_all(vec![job]).await?;
    let (builder, seen) = noting(worker("rust-fetch-ack-1"));
    work_until(builder, LONG, |now| now.total_processed == 1).await?;
    let got = seen.lock().unwrap().pop().ok_or("no job came")?;
    equal(got.id().to_string(), jid, "jid")?;
    equal(got.args(), &args[..], "args")?;
    equal(
        got.custom.get("tenant"),
        Some(&json!("a b")),
        "custom value",
    )?;
    equal(
        got.enqueued_at.is_some() && got.created_at.is_some(),
        true,
        "it has both times",
    )?;
    equal(info().await?.total_failures, 0, "failures")
}

async fn fail() -> Outcome {
    push_all(vec![Job::new("breaks", vec![1])]).await?;
    work_until(worker("rust-fail-12345"), LONG, |now| {
        now.total_failures == 1
    })
    .await?;
    size_of_queue(0).await
}

async fn retry() -> Outcome {
    push_all(vec![Job::new("once", vec![1])]).await?;
    let builder = worker("rust-retry-1234").register_fn("once", |job: Job| async move {
        match job.failure() {
            Some(_) => Ok(()),
            None => Err(io::Error::other("not yet")),
        }
    });
    work_until(builder, RETRY + LONG, |now| now.total_processed == 2).await?;
    equal(info().await?.total_failures, 1, "failures")
}

async fn work() -> Outcome {
    let mut jobs = Vec::new();
    for i in 0..40 {
        let kind = if i % 10 == 0 { "breaks" } else { "fine" };
        let queue = if i % 2 == 0 { "critical" } else { "default" };
        jobs.push(Job::new(kind, vec![i]).on_queue(queue));
    }
    push_all(jobs).await?;
    work_until(worker("rust-work-12345"), LONG, |now| {
        now.total_processed == 40
    })
    .await?;
    equal(info().await?.total_failures, 4, "failures")
}

/// Runs until the server says terminate, which it hears by a beat alone.
async fn told() -> Outcome {
    let mut worker = worker("rust-obey-12345").connect().await?;
    let details = worker.run(&["default"]).await?;
    equal(
        details.reason,
        StopReason::ServerInstruction,
        "why it stopped",
    )
}

async fn wrong_password() -> Outcome {
    match connect().await {
        Ok(_) => Err("a wrong password was accepted".into()),
        Err(error) => equal(
            format!("{error:?}").contains("Invalid password"),
            true,
            "the error names the password",
        ),
    }
}

async fn mutate() -> Outcome {
    let hour = Duration::from_secs(3600);
    let mut client = connect().await?;
    let first = in_future("note", hour);
    let jid = first.id().clone();
    push_all(vec![
        first,
        in_future("note", hour),
        in_future("other", hour),
    ])
    .await?;
    client
        .discard(JobSet::Scheduled, Filter::from_kind("other"))
        .await?;
    client.kill_by_ids(JobSet::Scheduled, &[&jid]).await?;
    client
        .requeue(JobSet::Scheduled, Filter::from_pattern("*"))
        .await?;
    size_of_queue(1).await?; // one was discarded, one is dead
    client.requeue_by_ids(JobSet::Dead, &[&jid]).await?;
    size_of_queue(2).await?;
    client.clear(JobSet::Dead).await?;
    Ok(())
}

async fn unknown_certificate() -> Outcome {
    match connect().await {
        Ok(_) => Err("an unknown certificate was accepted".into()),
        Err(error) => equal(
            format!("{error:?}").contains("certificate"),
            true,
            "the error names the certificate",
        ),
    }
}

#[tokio::main]
async fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    let outcome = match case.as_str() {
        "push" | "password" => push().await,
        "bulk push" => bulk_push().await,
        "scheduled" => scheduled().await,
        "fetch and ack" => fetch_and_ack().await,
        "fail" => fail().await,
        "retry" => retry().await,
        "work" => work().await,
        "obey" => told().await,
        "wrong password" => wrong_password().await,
        "mutate" => mutate().await,
        "unknown certificate" => unknown_certificate().await,
        _ => Err(format!("no such case: {case}").into()),
    };
    if let Err(error) = outcome {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
