//! Turns of the jsonschema crate for ./dev bench schema: ../../driver.c says the protocol.
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

/// Checks between two looks at the clock.
const BATCH: u64 = 16;

fn read(path: &str) -> serde_json::Value {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn turn(validator: &jsonschema::Validator, instance: &serde_json::Value, seconds: f64) -> u64 {
    let length = Duration::from_secs_f64(seconds);
    let began = Instant::now();
    let mut count = 0u64;
    loop {
        for _ in 0..BATCH {
            std::hint::black_box(validator.is_valid(std::hint::black_box(instance)));
        }
        count += BATCH;
        if began.elapsed() >= length {
            return count;
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let formats = arguments[1] == "assert";
    let schema = read(&arguments[2]);
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(formats)
        .should_ignore_unknown_formats(true)
        .build(&schema)
        .unwrap_or_else(|e| panic!("{}: {e}", arguments[2]));
    let instances: Vec<_> = arguments[3..].iter().map(|path| read(path)).collect();
    let verdicts: Vec<_> = instances.iter().map(|i| validator.is_valid(i)).collect();
    println!("{}", serde_json::to_string(&verdicts).unwrap());
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let (which, seconds): (usize, f64) = serde_json::from_str(&line).expect("[INSTANCE, SECONDS]");
        let count = turn(&validator, &instances[which], seconds);
        println!("{count}");
        io::stdout().flush().unwrap();
    }
}
