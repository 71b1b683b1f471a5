//! foreign-verdicts LIBRARY TESTDATA [--bench N]: `sev` or `dcap-qvl` as a process that reads a question a line and
//! writes a verdict a line, for differential tests (../run.py). With --bench it asks the one question on standard
//! input N times and prints microseconds instead, those of the first time apart.
mod snp;
mod tdx;

use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::time::Instant;

use base64::{engine::general_purpose::STANDARD, Engine};
use serde::{Deserialize, Deserializer};

/// One line of the protocol in docs/development/differential.md. Bytes are base64.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Question {
    pub roots: String,
    pub product: String,
    pub now: u64,
    #[serde(deserialize_with = "blob")]
    pub report: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub leaf: Vec<u8>,
    pub vlek: bool,
    #[serde(deserialize_with = "blob")]
    pub quote: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub tcbinfo: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub qeid: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub tcb_chain: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub pck_crl: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub pck_crl_chain: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub root_crl: Vec<u8>,
    #[serde(deserialize_with = "blob")]
    pub root: Vec<u8>,
}

fn blob<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

/// The TCB status where the library names one, or why it refuses.
pub type Answer = Result<Option<String>, String>;

type Examiner = Box<dyn Fn(&Question) -> Answer>;

/// A panic becomes a refusal of its own name, so that one input cannot end a run.
fn ask(examine: &Examiner, question: &Question) -> Answer {
    catch_unwind(AssertUnwindSafe(|| examine(question))).unwrap_or_else(|cause| {
        let text = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or(cause.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("unknown")))
    })
}

fn serve(examine: &Examiner) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| e.to_string())?;
        let question: Question = serde_json::from_str(&line).map_err(|e| e.to_string())?;
        let verdict = match ask(examine, &question) {
            Ok(Some(status)) => serde_json::json!({"allowed": true, "status": status}),
            Ok(None) => serde_json::json!({"allowed": true}),
            Err(error) => serde_json::json!({"allowed": false, "error": error}),
        };
        writeln!(out, "{verdict}")
            .and_then(|()| out.flush())
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn bench(examine: &Examiner, count: usize) -> Result<(), String> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|e| e.to_string())?;
    let question: Question = serde_json::from_str(&line).map_err(|e| e.to_string())?;
    let microseconds = || {
        let start = Instant::now();
        let _ = examine(&question);
        start.elapsed().as_secs_f64() * 1e6
    };
    let first = microseconds();
    examine(&question).map_err(|e| format!("what is measured must be allowed: {e}"))?;
    let mut took: Vec<f64> = (0..count).map(|_| microseconds()).collect();
    took.sort_by(f64::total_cmp);
    let (p50, p99) = (took[count / 2], took[count * 99 / 100]);
    println!(
        "{}",
        serde_json::json!({"first_us": first, "p50_us": p50, "p99_us": p99})
    );
    Ok(())
}

fn run(arguments: &[String]) -> Result<(), String> {
    let usage = "usage: foreign-verdicts sev|dcap-qvl TESTDATA [--bench N] < questions";
    let (library, testdata, count) = match arguments {
        [library, testdata] => (library, testdata, None),
        [library, testdata, flag, count] if flag == "--bench" => {
            let count: usize = count.parse().map_err(|_| usage)?;
            (library, testdata, Some(count).filter(|&n| n > 0))
        }
        _ => return Err(usage.into()),
    };
    let examine: Examiner = match library.as_str() {
        "sev" => {
            let roots = snp::Roots::read(Path::new(testdata))?;
            Box::new(move |question| roots.examine(question))
        }
        "dcap-qvl" => Box::new(tdx::examine),
        _ => return Err(usage.into()),
    };
    std::panic::set_hook(Box::new(|_| {}));
    match count {
        Some(count) => bench(&examine, count),
        None => serve(&examine),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = run(&arguments) {
        eprintln!("foreign-verdicts: {error}");
        std::process::exit(1);
    }
}
