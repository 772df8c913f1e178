//! One run: the rounds, and the table that they give.

use std::process::Command;
use std::time::Duration;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use results::statistics::paired::{PairedEstimate, estimate};

use crate::arms::{ARMS, Arm};

const CONFIDENCE: f64 = 0.95;

struct Options {
    rounds: usize,
    slot: Duration,
    seed: u64,
    /// One arm alone, in this process: what the runner asks of itself.
    arm: Option<String>,
}

impl Options {
    /// Cargo hands on what follows `--`, and adds `--bench`.
    fn from_arguments() -> Self {
        let mut options = Self { rounds: 21, slot: Duration::from_millis(100), seed: 1, arm: None };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| misused(&format!("{name} needs a value")));
            match name.as_str() {
                "--rounds" => options.rounds = number(&name, &value),
                "--slot-ms" => options.slot = Duration::from_millis(number(&name, &value)),
                "--seed" => options.seed = number(&name, &value),
                "--arm" => options.arm = Some(value),
                _ => misused(&format!("no argument is called {name}")),
            }
        }
        options
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> N {
    value.parse().unwrap_or_else(|_| misused(&format!("{name} takes a whole number, not {value:?}")))
}

fn misused(what: &str) -> ! {
    eprintln!("{what}: --rounds N, --slot-ms N and --seed N are there");
    std::process::exit(2)
}

pub(crate) fn main() {
    let options = Options::from_arguments();
    if let Some(name) = &options.arm {
        let arm = ARMS.iter().find(|arm| arm.name == name);
        let arm = arm.unwrap_or_else(|| misused(&format!("no arm is called {name:?}")));
        println!("{}", (arm.measure)(options.slot));
        return;
    }
    println!("{} rounds, slots of {} ms, seed {}", options.rounds, options.slot.as_millis(), options.seed);
    let mut generator = Pcg32::seed_from_u64(options.seed);
    let mut order: Vec<usize> = (0..ARMS.len()).collect();
    let mut ns = vec![Vec::new(); ARMS.len()];
    for round in 1..=options.rounds {
        shuffle(&mut order, &mut generator);
        for &arm in &order {
            ns[arm].push(in_a_process_of_its_own(&ARMS[arm], options.slot));
        }
        eprintln!("round {round} of {}", options.rounds);
    }
    print!("{}", table(&ns));
}

fn in_a_process_of_its_own(arm: &Arm, slot: Duration) -> f64 {
    let mut command = Command::new(std::env::current_exe().expect("a path to this program"));
    command.args(["--arm", arm.name, "--slot-ms", &slot.as_millis().to_string()]);
    // Its page would be served at a port of its own.
    command.env("HOTPATH_METRICS_SERVER_OFF", "1");
    let output = command.output().expect("this program can be started");
    assert!(output.status.success(), "{}: {}", arm.name, String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    last.parse().unwrap_or_else(|_| panic!("{} said {text:?}", arm.name))
}

/// Fisher and Yates.
fn shuffle(items: &mut [usize], generator: &mut Pcg32) {
    for last in (1..items.len()).rev() {
        let bound = u32::try_from(last + 1).expect("a few arms");
        // The bias of a remainder is one in a hundred million here.
        items.swap(last, (generator.next_u32() % bound) as usize);
    }
}

fn table(ns: &[Vec<f64>]) -> String {
    let mut table = String::from(
        "| lock | watched by | ns a pair | on top | times the unwatched one |\n|---|---|---|---|---|\n",
    );
    for (arm, mine) in ARMS.iter().zip(ns) {
        let unwatched = ARMS.iter().position(|other| other.lock == arm.lock);
        let unwatched = &ns[unwatched.expect("the arm itself at least")];
        let ratios: Vec<f64> = mine.iter().zip(unwatched).map(|(with, without)| with / without).collect();
        let (figure, ratio) = (estimate(mine, CONFIDENCE), estimate(&ratios, CONFIDENCE));
        let on_top = ratio.ratio.zip(estimate(unwatched, CONFIDENCE).ratio);
        // No minus before a zero.
        let on_top = on_top.map(|(ratio, of)| format!("{:.0}", ((ratio - 1.0) * of).round() + 0.0));
        let on_top = on_top.unwrap_or_default();
        table += &format!(
            "| {} | {} | {} | {on_top} | {} |\n",
            arm.lock,
            arm.watched_by,
            text(&figure, 0),
            text(&ratio, 1)
        );
    }
    table
}

fn text(estimate: &PairedEstimate, digits: usize) -> String {
    let Some(value) = estimate.ratio else { return String::from("–") };
    let interval = estimate.ci.map(|[low, high]| format!(" [{low:.digits$}, {high:.digits$}]"));
    format!("{value:.digits$}{}", interval.unwrap_or_default())
}
