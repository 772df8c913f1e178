//! Instructions per operation, counted by callgrind and compared with the table that is checked in.
//!
//! A count needs no quiet machine, so that a regression of a few instructions shows where a clock would not tell
//! 20 ns from 21. It says nothing of what an instruction costs: a locked one counts like an addition.
//!
//! ```sh
//! cargo bench --profile dev -p workloads --bench instructions               # compare with the table
//! cargo bench --profile dev -p workloads --bench instructions -- --update   # and write what was counted
//! cargo bench --profile dev -p workloads --bench instructions -- one event/set/1000 sync 11000
//! ```
//!
//! Each operation runs in a process of its own, twice: the difference between many operations and few is what one
//! takes, so that starting up cancels. Only what a block measures is counted at all.
#![deny(unsafe_code)]

mod operations;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use operations::{Operation, Stopwatch, operations};

/// Groups whose every arm is counted. The others would say the same once more, or cost too much time.
const COUNTED: &[&str] = &[
    "mutex/free",
    "mutex/free_polled_once",
    "mutex/try_lock",
    "mutex/owned",
    "semaphore/free",
    "semaphore/free_polled_once",
    "semaphore/many",
    "semaphore/try_acquire",
    "hand_off/2",
    "hand_off/64",
    "event/wait_set",
    "event/set_clear",
    "event/arm/1000",
    "event/set/1000",
    "event/resume/1000",
    "condition/free",
    "condition/notify_all/1000",
    "barrier/64",
    "cancel/middle",
];
/// Arms that are counted; ours must not get worse, the others are there to compare with.
const ARMS: &[&str] = &[OURS, "tokio", "async-lock", "parking_lot", "two CAS", "turns alone", "one load"];
const OURS: &str = "sync";

const FEW: u64 = 1_000;
const MANY: u64 = 11_000;

/// A change is one if it is more than both.
const TOLERANCE: f64 = 0.02;
const TOLERANCE_INSTRUCTIONS: f64 = 2.0;

/// Where the demangled name of `stopwatch::stretch` is found, whatever its type arguments.
const STRETCH: &str = "*stopwatch*stretch*";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => compare(false),
        ["--update"] => compare(true),
        ["one", group, arm, n] => one(group, arm, n),
        _ => Err("instructions [--update | one GROUP ARM N]".into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("instructions: {error}");
        ExitCode::FAILURE
    })
}

/// Does one operation so many times: what callgrind looks at. Says how many it were.
fn one(group: &str, arm: &str, n: &str) -> Result<ExitCode> {
    let found = operations().into_iter().find(|operation| operation.group == group && operation.arm == arm);
    let Some(operation) = found else { return Err(format!("no {group} of {arm}").into()) };
    let mut watch = Stopwatch::default();
    operation.start()(n.parse()?, &mut watch);
    println!("{}", watch.operations());
    Ok(ExitCode::SUCCESS)
}

fn compare(update: bool) -> Result<ExitCode> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.tsv");
    let before = Table::read(&path).unwrap_or_default();
    let now = Table { compiler: compiler()?, rows: count_all()? };
    let comparable = before.compiler == now.compiler;
    if !comparable {
        println!("the table was made by `{}`, this is `{}`: nothing fails", before.compiler, now.compiler);
    }
    let (mut worse, mut better) = (0, 0);
    println!("{:<28} {:<12} {:>9} {:>9}", "operation", "of", "table", "now");
    for row in &now.rows {
        let known = before.rows.iter().find(|known| known.group == row.group && known.arm == row.arm);
        let change = known.map_or(Change::New, |known| Change::between(known.instructions, row.instructions));
        let table = known.map_or_else(|| "-".to_owned(), |known| format!("{:.1}", known.instructions));
        let word = change.word();
        println!("{:<28} {:<12} {table:>9} {:>9.1}  {word}", row.group, row.arm, row.instructions);
        worse += usize::from(row.arm == OURS && change == Change::Worse);
        better += usize::from(row.arm == OURS && change != Change::Worse && change != Change::Same);
    }
    if update {
        std::fs::write(&path, now.to_text())?;
        println!("written to {}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    if better > 0 {
        println!("{better} better or new: update the table with `--update`, and say in the commit why");
    }
    if worse > 0 && comparable {
        println!(
            "{worse} worse: find out why, or update the table with `--update` and say in the commit why"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a count is beside the table's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Same,
    Better,
    Worse,
    New,
}

impl Change {
    fn between(before: f64, now: f64) -> Self {
        let difference = (now - before).abs();
        if difference <= TOLERANCE_INSTRUCTIONS || difference <= before * TOLERANCE {
            Self::Same
        } else if now < before {
            Self::Better
        } else {
            Self::Worse
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::New => "new",
        }
    }
}

/// What is checked in.
#[derive(Default)]
struct Table {
    /// Another compiler makes other code: counts are comparable within one version and processor family.
    compiler: String,
    rows: Vec<Row>,
}

struct Row {
    group: String,
    arm: String,
    instructions: f64,
}

impl Table {
    const HEAD: &'static str = "# Instructions per operation. Written by `--update`, see instructions.rs.\n";

    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let mut table = Self::default();
        for line in text.lines() {
            if let Some(compiler) = line.strip_prefix("# rustc: ") {
                compiler.clone_into(&mut table.compiler);
            }
            if line.starts_with('#') {
                continue;
            }
            let [group, arm, instructions] = line.split('\t').collect::<Vec<_>>()[..] else {
                return Err(format!("{}: `{line}` is not three columns", path.display()).into());
            };
            let instructions = instructions.parse()?;
            table.rows.push(Row { group: group.to_owned(), arm: arm.to_owned(), instructions });
        }
        Ok(table)
    }

    fn to_text(&self) -> String {
        let rows =
            self.rows.iter().map(|row| format!("{}\t{}\t{:.1}\n", row.group, row.arm, row.instructions));
        format!("{}# rustc: {}\n{}", Self::HEAD, self.compiler, rows.collect::<String>())
    }
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output()?;
    Ok(format!("{} on {}", String::from_utf8(output.stdout)?.trim(), std::env::consts::ARCH))
}

/// Counts everything, a process for each processor at a time.
fn count_all() -> Result<Vec<Row>> {
    let mut counted: Vec<Operation> = Vec::new();
    for operation in operations() {
        // A limit stands in several groups and is the same in all.
        let known = operation.is_limit && counted.iter().any(|other| other.arm == operation.arm);
        if COUNTED.contains(&operation.group) && ARMS.contains(&operation.arm) && !known {
            counted.push(operation);
        }
    }
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        loop {
            // Ordering: Relaxed; the number alone is shared, and each is drawn once.
            let drawn = next.fetch_add(1, Ordering::Relaxed);
            let Some(operation) = counted.get(drawn) else { return Ok(()) };
            let instructions = count(operation)?;
            let row = Row { group: operation.group.to_owned(), arm: operation.arm.to_owned(), instructions };
            rows.lock().expect("nobody panics while holding it").push((drawn, row));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("errors are returned"))
    })?;
    let mut rows = rows.into_inner().expect("nobody panicked");
    rows.sort_unstable_by_key(|(drawn, _)| *drawn);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Instructions of one operation.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn count(operation: &Operation) -> Result<f64> {
    let (few, many) = (callgrind(operation, FEW)?, callgrind(operation, MANY)?);
    Ok((many.instructions - few.instructions) as f64 / (many.operations - few.operations) as f64)
}

struct Count {
    instructions: u64,
    operations: u64,
}

fn callgrind(operation: &Operation, n: u64) -> Result<Count> {
    let this: PathBuf = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={STRETCH}"))
        .arg(this)
        .args(["one", operation.group, operation.arm, &n.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not run ({error}): install it"))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} of {} failed:\n{messages}", operation.group, operation.arm).into());
    }
    let collected = messages.lines().find_map(|line| line.split_once("Collected : "));
    let (_, instructions) = collected.ok_or_else(|| format!("callgrind counted nothing:\n{messages}"))?;
    Ok(Count {
        instructions: instructions.trim().parse()?,
        operations: String::from_utf8(output.stdout)?.trim().parse()?,
    })
}
