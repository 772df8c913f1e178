//! From arguments to cases: a case is a variant of a workload with its parameters, and the arms to measure.
//!
//! What makes no sense is refused here, before anything runs.

use std::time::Duration;

use results::compare::control_arm;
use workloads::{Arm, Backend, Params, Variant, Workload};

use crate::cli::Knobs;
use crate::exit::Usage;
use crate::sweep::{self, Axis, Point};

/// The backend that others are compared with where it is among them.
const PREFERRED_BASELINE: &str = "tokio";

/// What there is to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registry {
    pub(crate) workloads: &'static [Workload],
    pub(crate) backends: &'static [&'static Backend],
}

/// Everything that this program can run.
///
/// Read when it is asked for: a constant would be worked out by the compiler, and with it every loop that the registry
/// leads to would be compiled once more in this crate.
pub(crate) fn registry() -> Registry {
    Registry { workloads: workloads::WORKLOADS, backends: workloads::BACKENDS }
}

/// One variant of a workload under one set of parameters, on several backends.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) workload: &'static Workload,
    pub(crate) variant: &'static Variant,
    pub(crate) params: Params,
    /// What a sweep set for this case, one knob each: `hold=10us`.
    pub(crate) swept: Vec<String>,
    /// In the order of the report; the control arm is the last.
    pub(crate) entrants: Vec<Entrant>,
    /// Backend that the others are compared with.
    pub(crate) baseline: &'static str,
}

/// One arm of a case under the name that it has in the report.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    /// The backend's name; the control arm's has `(control)` behind it.
    pub(crate) name: String,
    pub(crate) arm: &'static Arm,
}

/// The cases of a run, and what a person should know about them before it begins.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) cases: Vec<Case>,
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// Whether an arm is nothing without the collector.
    pub(crate) fn is_traced(&self) -> bool {
        self.cases.iter().flat_map(|case| &case.entrants).any(|entrant| entrant.arm.backend.traced)
    }
}

impl Case {
    /// `semaphore.pool`, and where it is one of a sweep `semaphore.pool (hold=10us)`.
    pub(crate) fn name(&self) -> String {
        case_name(&format!("{}.{}", self.workload.name, self.variant.name), &self.swept)
    }

    /// Whether its operations begin by a schedule.
    pub(crate) fn is_open_loop(&self) -> bool {
        self.params.rate_ops_per_s.is_some()
    }
}

impl Registry {
    /// Turns what was asked for into cases.
    ///
    /// # Errors
    /// A [`Usage`] that names the option and the value.
    pub(crate) fn plan(
        &self,
        workloads: &[String],
        backends: &[String],
        knobs: &Knobs,
        sweep: &[Axis],
        slot: Duration,
    ) -> anyhow::Result<Plan> {
        let variants = self.variants(workloads)?;
        let open_loop = knobs.rate.is_some() || sweep.iter().any(|axis| axis.key == "rate");
        if open_loop {
            self.check_open_loop(&variants)?;
        }
        let backends = self.backends(backends)?;
        check_sweep(&variants, sweep)?;
        let mut plan = Plan { cases: Vec::new(), notes: Vec::new() };
        for (workload, variant) in variants {
            let name = format!("{}.{}", workload.name, variant.name);
            let (axes, idle): (Vec<&Axis>, Vec<&Axis>) =
                sweep.iter().partition(|axis| looks_at(variant, axis));
            plan.notes.extend(
                idle.iter().map(|axis| format!("{name} does not look at {}: not swept there", axis.key)),
            );
            let arms = arms(&name, variant, &backends, &mut plan.notes);
            for points in sweep::combinations(&axes) {
                let knobs = points.iter().map(|point| &point.knobs).chain([knobs]);
                let params = knobs.fold((variant.defaults)(), with_knobs);
                check(&name, &params, &points, slot)?;
                let swept: Vec<String> = points.iter().map(|point| point.text.clone()).collect();
                let case = case_name(&name, &swept);
                let Some((entrants, baseline)) = entrants(&case, &arms, &params, &mut plan.notes) else {
                    plan.notes.push(format!("{case} is skipped"));
                    continue;
                };
                plan.cases.push(Case { workload, variant, params, swept, entrants, baseline });
            }
        }
        if plan.cases.is_empty() {
            return Err(Usage::error(format!(
                "nothing to run: no backend of --backend {} has what --workload asks for; see `bench-harness list`",
                names(backends.iter().map(|backend| backend.name)),
            )));
        }
        plan.notes.extend(idle_knobs(&plan.cases, knobs));
        Ok(plan)
    }

    /// A table never mixes open and closed loops, so one variant that has no open loop is enough to refuse.
    fn check_open_loop(&self, variants: &[(&'static Workload, &'static Variant)]) -> anyhow::Result<()> {
        let closed = variants.iter().find(|(_, variant)| !takes_rate(variant));
        let Some((workload, variant)) = closed else { return Ok(()) };
        let open = self.workloads.iter().flat_map(|workload| {
            let open = workload.variants.iter().filter(|variant| takes_rate(variant));
            open.map(|variant| format!("{}.{}", workload.name, variant.name))
        });
        Err(Usage::error(format!(
            "--rate: {}.{} has no open loop (its tasks wait for each other, or it is about capacity); {} have one",
            workload.name,
            variant.name,
            open.collect::<Vec<_>>().join(", "),
        )))
    }

    fn variants(&self, asked: &[String]) -> anyhow::Result<Vec<(&'static Workload, &'static Variant)>> {
        let mut found: Vec<(&'static Workload, &'static Variant)> = Vec::new();
        for asked in asked {
            for (workload, variant) in self.variants_of(asked)? {
                if !found.iter().any(|(_, known)| std::ptr::eq(*known, variant)) {
                    found.push((workload, variant));
                }
            }
        }
        Ok(found)
    }

    fn variants_of(&self, asked: &str) -> anyhow::Result<Vec<(&'static Workload, &'static Variant)>> {
        let (name, variant) = match asked.split_once('.') {
            Some((name, variant)) => (name, Some(variant)),
            None => (asked, None),
        };
        let workloads: Vec<&'static Workload> = self
            .workloads
            .iter()
            .filter(|workload| name == "all" || workload.name == name || workload.aliases.contains(&name))
            .collect();
        if workloads.is_empty() {
            return Err(Usage::error(format!(
                "unknown workload '{name}' for --workload; there are {} and all",
                names(self.workloads.iter().map(|workload| workload.name)),
            )));
        }
        let chosen: Vec<_> = workloads
            .iter()
            .flat_map(|workload| {
                workload.variants.iter().enumerate().map(move |(place, known)| (*workload, place, known))
            })
            .filter(|(_, place, known)| match variant {
                None => *place == 0,
                Some("all") => true,
                Some(variant) => known.name == variant,
            })
            .map(|(workload, _, known)| (workload, known))
            .collect();
        if chosen.is_empty() {
            let known = workloads.iter().flat_map(|workload| workload.variants).map(|variant| variant.name);
            return Err(Usage::error(format!(
                "unknown variant '{}' of '{name}' for --workload; there are {} and all",
                variant.unwrap_or_default(),
                names(known),
            )));
        }
        Ok(chosen)
    }

    fn backends(&self, asked: &[String]) -> anyhow::Result<Vec<&'static Backend>> {
        let mut found: Vec<&'static Backend> = Vec::new();
        for asked in asked {
            let matching = self.backends.iter().filter(|known| asked == "all" || known.name == asked);
            let before = found.len();
            let mut known = false;
            for backend in matching {
                known = true;
                if !found[..before].iter().any(|earlier| earlier.name == backend.name) {
                    found.push(backend);
                }
            }
            if !known {
                return Err(Usage::error(format!(
                    "unknown backend '{asked}' for --backend; there are {} and all",
                    names(self.backends.iter().map(|backend| backend.name)),
                )));
            }
        }
        Ok(found)
    }
}

/// The arms of a variant on these backends; notes the backends that lack the primitive.
fn arms(
    name: &str,
    variant: &'static Variant,
    backends: &[&'static Backend],
    notes: &mut Vec<String>,
) -> Vec<&'static Arm> {
    let mut arms = Vec::new();
    for backend in backends {
        match variant.arms.iter().find(|arm| arm.backend.name == backend.name) {
            Some(arm) => arms.push(arm),
            None => notes.push(format!("{} has nothing for {name}: skipped", backend.name)),
        }
    }
    arms
}

/// The arms that take the parameters and the baseline among them; notes the others.
fn entrants(
    case: &str,
    arms: &[&'static Arm],
    params: &Params,
    notes: &mut Vec<String>,
) -> Option<(Vec<Entrant>, &'static str)> {
    let mut entrants: Vec<Entrant> = Vec::new();
    for arm in arms {
        let name = arm.backend.name;
        match arm.limits.check(params) {
            Ok(()) => entrants.push(Entrant { name: name.to_owned(), arm }),
            Err(limit) => notes.push(format!("{name} cannot run {case}, {limit}: skipped")),
        }
    }
    let base = entrants.iter().find(|entrant| entrant.name == PREFERRED_BASELINE).or(entrants.first())?.arm;
    let baseline = base.backend.name;
    entrants.push(Entrant { name: control_arm(baseline), arm: base });
    Some((entrants, baseline))
}

/// `mutex.exclusive`, with what a sweep set behind it.
fn case_name(variant: &str, swept: &[String]) -> String {
    if swept.is_empty() { variant.to_owned() } else { format!("{variant} ({})", swept.join(", ")) }
}

/// Whether the variant looks at the knob of a sweep.
fn looks_at(variant: &Variant, axis: &Axis) -> bool {
    variant.knobs.iter().any(|knob| option_of(knob) == axis.key)
}

/// The option that sets a knob of a report, which has its unit behind it: `hold_ns` is `--hold`'s.
fn option_of(knob: &str) -> String {
    let units = ["_ns", "_percent", "_ops_per_s"];
    let bare = units.iter().find_map(|unit| knob.strip_suffix(unit)).unwrap_or(knob);
    sweep::option_name(bare)
}

/// A sweep that changes nothing is a mistake, and one without end another.
fn check_sweep(variants: &[(&'static Workload, &'static Variant)], sweep: &[Axis]) -> anyhow::Result<()> {
    for axis in sweep {
        if !variants.iter().any(|(_, variant)| looks_at(variant, axis)) {
            return Err(Usage::error(format!(
                "--sweep {axis} changes nothing: no workload of this run looks at {}",
                axis.key
            )));
        }
    }
    let cases_of = |variant: &Variant| {
        let lengths = sweep.iter().filter(|axis| looks_at(variant, axis)).map(|axis| axis.points.len());
        lengths.fold(1, usize::saturating_mul)
    };
    let cases = variants.iter().map(|(_, variant)| cases_of(variant)).fold(0, usize::saturating_add);
    if cases > sweep::MAX_CASES {
        let axes: Vec<String> = sweep.iter().map(|axis| format!("--sweep {axis}")).collect();
        return Err(Usage::error(format!(
            "{} would be {cases} cases, and {} are the most: give fewer values, or make several runs of it",
            axes.join(" "),
            sweep::MAX_CASES
        )));
    }
    Ok(())
}

/// Refuses parameters that cannot be run, naming the option that set them.
fn check(name: &str, params: &Params, points: &[&Point], slot: Duration) -> anyhow::Result<()> {
    let option = |option: &str| {
        let swept = points.iter().any(|point| point.text.split('=').next() == Some(option));
        format!("--{}{option}", if swept { "sweep " } else { "" })
    };
    params
        .check()
        .map_err(|error| Usage::error(format!("{name}: {}: {error}", option(&option_of(error.knob)))))?;
    check_fits(params, slot, option)
}

fn with_knobs(defaults: Params, knobs: &Knobs) -> Params {
    Params {
        tasks: knobs.tasks.unwrap_or(defaults.tasks),
        permits: knobs.permits.unwrap_or(defaults.permits),
        locks: knobs.locks.unwrap_or(defaults.locks),
        weight: knobs.weight.unwrap_or(defaults.weight),
        posters: knobs.posters.unwrap_or(defaults.posters),
        hold: knobs.hold.unwrap_or(defaults.hold),
        hold_distribution: knobs.hold_distribution.map_or(defaults.hold_distribution, Into::into),
        hold_mode: knobs.hold_mode.map_or(defaults.hold_mode, Into::into),
        think: knobs.think.unwrap_or(defaults.think),
        think_distribution: knobs.think_distribution.map_or(defaults.think_distribution, Into::into),
        cancel_percent: knobs.cancel.unwrap_or(defaults.cancel_percent),
        rate_ops_per_s: knobs.rate.or(defaults.rate_ops_per_s),
    }
}

fn takes_rate(variant: &Variant) -> bool {
    variant.knobs.contains(&"rate_ops_per_s")
}

/// A turn that is longer than the shortest slot would be cut off by its end in every round.
fn check_fits(params: &Params, slot: Duration, name: impl Fn(&str) -> String) -> anyhow::Result<()> {
    let shortest = crate::runner::schedule::latency_slot(slot);
    for (option, value) in [("hold", params.hold), ("think", params.think)] {
        if value > shortest {
            return Err(Usage::error(format!(
                "{} {value:?} does not fit into the latency slots of {shortest:?} (a quarter of --slot): \
                 raise --slot to at least {:?}",
                name(option),
                value * 4,
            )));
        }
    }
    Ok(())
}

/// Options that were given and that no chosen variant looks at.
fn idle_knobs(cases: &[Case], knobs: &Knobs) -> Vec<String> {
    let given = [
        ("--tasks", "tasks", knobs.tasks.is_some()),
        ("--permits", "permits", knobs.permits.is_some()),
        ("--locks", "locks", knobs.locks.is_some()),
        ("--weight", "weight", knobs.weight.is_some()),
        ("--posters", "posters", knobs.posters.is_some()),
        ("--hold", "hold_ns", knobs.hold.is_some()),
        ("--hold-distribution", "hold_distribution", knobs.hold_distribution.is_some()),
        ("--hold-mode", "hold_mode", knobs.hold_mode.is_some()),
        ("--think", "think_ns", knobs.think.is_some()),
        ("--think-distribution", "think_distribution", knobs.think_distribution.is_some()),
        ("--cancel", "cancel_percent", knobs.cancel.is_some()),
    ];
    let idle = |knob: &str| cases.iter().all(|case| !case.variant.knobs.contains(&knob));
    given
        .iter()
        .filter(|(_, knob, given)| *given && idle(knob))
        .map(|(option, ..)| format!("{option} changes nothing: no workload of this run looks at it"))
        .chain(idle_distributions(cases, knobs))
        .collect()
}

/// Distributions that were given around a time that every case which looks at them has none of.
fn idle_distributions(cases: &[Case], knobs: &Knobs) -> Vec<String> {
    let hold: fn(&Params) -> Duration = |params| params.hold;
    let think: fn(&Params) -> Duration = |params| params.think;
    let given = [
        ("hold", "hold_distribution", knobs.hold_distribution.is_some(), hold),
        ("think", "think_distribution", knobs.think_distribution.is_some(), think),
    ];
    let idle = |knob: &str, time: fn(&Params) -> Duration| {
        let mut looking = cases.iter().filter(|case| case.variant.knobs.contains(&knob)).peekable();
        looking.peek().is_some() && looking.all(|case| time(&case.params).is_zero())
    };
    given
        .iter()
        .filter(|(_, knob, given, time)| *given && idle(knob, *time))
        .map(|(time, ..)| {
            format!("--{time}-distribution changes nothing where --{time} is 0: give a time too")
        })
        .collect()
}

/// `a, b and c` without the `and`: a plain list for a message.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
