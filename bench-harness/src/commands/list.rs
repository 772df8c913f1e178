//! `list`: what can be run.

use std::fmt::Write as _;

use serde_json::{Value, json};
use workloads::{Limits, ParamValue, SCENARIOS, Variant};

use crate::cases::{Registry, registry};
use crate::cli::{ListArgs, ListFormat};
use crate::exit::Exit;
use crate::table::Screen;

/// Prints workloads with their variants and knobs, backends and presets.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let text = match args.format {
        ListFormat::Table => table(&registry(), Screen::of_stdout()),
        ListFormat::Json => format!("{:#}\n", as_json(&registry())),
    };
    super::print(&text)?;
    Ok(Exit::Done)
}

fn table(registry: &Registry, screen: Screen) -> String {
    let mut out =
        String::from("Workloads (--workload NAME runs the first variant, NAME.VARIANT another)\n\n");
    let mut table =
        screen.table(&["workload", "what an operation is and what it shows", "knobs and defaults"]);
    for workload in registry.workloads {
        for (place, variant) in workload.variants.iter().enumerate() {
            let mut name = format!("{}.{}", workload.name, variant.name);
            if place == 0 {
                workload.aliases.iter().for_each(|alias| name.push_str(&format!("\nalias {alias}")));
            }
            table.add_row([name, variant.summary.to_owned(), knobs(variant)]);
        }
    }
    let _ = writeln!(out, "{}\n\nBackends (--backend LIST, separated by commas)\n", table.trim_fmt());
    let mut table = screen.table(&["backend", "version", "what it is", "has"]);
    for backend in registry.backends {
        table.add_row([backend.name, backend.version, backend.summary, &has(registry, backend.name)]);
    }
    let _ = writeln!(out, "{}\n\nPresets (--preset NAME)\n", table.trim_fmt());
    let mut table = screen.table(&["preset", "what it is"]);
    for preset in SCENARIOS {
        table.add_row([preset.name, preset.summary()]);
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    out
}

/// One knob a line, under its option's name.
fn knobs(variant: &Variant) -> String {
    let mut lines: Vec<String> = defaults(variant)
        .map(|(name, value)| match (name, value) {
            (name, ParamValue::Count(ns)) if name.ends_with("_ns") => {
                format!("--{} {}", name.trim_end_matches("_ns"), duration(ns))
            }
            ("cancel_percent", ParamValue::Number(percent)) => format!("--cancel {percent}"),
            ("rate_ops_per_s", ParamValue::Number(rate)) => format!("--rate {rate}"),
            (name, ParamValue::Count(count)) => format!("--{name} {count}"),
            (name, ParamValue::Number(number)) => format!("--{} {number}", name.replace('_', "-")),
            (name, ParamValue::Text(text)) => format!("--{} {text}", name.replace('_', "-")),
        })
        .collect();
    // Those that are an entry only where they are set.
    let unset = [
        ("hold_distribution", "--hold-distribution constant"),
        ("think_distribution", "--think-distribution constant"),
        ("rate_ops_per_s", "--rate (none)"),
    ];
    let is_set = |knob: &str| defaults(variant).any(|(name, _)| name == knob);
    let unset = unset.iter().filter(|(knob, _)| variant.knobs.contains(knob) && !is_set(knob));
    lines.extend(unset.map(|(_, line)| (*line).to_owned()));
    lines.join("\n")
}

/// As the option takes it: `0`, `500ns`, `10us`.
fn duration(ns: u64) -> String {
    match ns {
        0 => "0".into(),
        ns if ns % 1_000_000 == 0 => format!("{}ms", ns / 1_000_000),
        ns if ns % 1_000 == 0 => format!("{}us", ns / 1_000),
        ns => format!("{ns}ns"),
    }
}

fn defaults(variant: &Variant) -> impl Iterator<Item = (&'static str, ParamValue)> + '_ {
    let looked_at = |(name, _): &(&'static str, ParamValue)| variant.knobs.contains(name);
    (variant.defaults)().entries().into_iter().filter(looked_at)
}

/// The workloads that a backend can run; below them how it was put together for some, what it cannot be asked for,
/// and the workloads that it has nothing for.
fn has(registry: &Registry, backend: &str) -> String {
    let (mut has, mut lacks, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for workload in registry.workloads {
        let mut arms = workload.variants.iter().flat_map(|variant| variant.arms);
        let Some(arm) = arms.find(|arm| arm.backend.name == backend) else {
            lacks.push(workload.name);
            continue;
        };
        has.push(workload.name);
        if let Some(parts) = arm.composed {
            lines.push(format!("{} = {parts}", workload.name));
        }
        if arm.limits.permits < Limits::NONE.permits {
            lines.push(format!("{}: at most {} permits", workload.name, arm.limits.permits));
        }
        if arm.limits.tasks < Limits::NONE.tasks {
            lines.push(format!("{}: at most {} tasks", workload.name, arm.limits.tasks));
        }
        if !arm.limits.cancel {
            lines.push(format!("{}: no --cancel", workload.name));
        }
    }
    if !lacks.is_empty() {
        lines.push(format!("lacks {}", lacks.join(", ")));
    }
    lines.insert(0, has.join(", "));
    lines.join("\n")
}

fn as_json(registry: &Registry) -> Value {
    let variant = |variant: &Variant| {
        let defaults = defaults(variant).map(|(name, value)| {
            (
                name.to_owned(),
                match value {
                    ParamValue::Count(count) => json!(count),
                    ParamValue::Number(number) => json!(number),
                    ParamValue::Text(text) => json!(text),
                },
            )
        });
        let arms = variant.arms.iter().map(|arm| {
            let limits = json!({
                "tasks": arm.limits.tasks,
                "permits": arm.limits.permits,
                "cancel": arm.limits.cancel,
            });
            json!({"backend": arm.backend.name, "composed": arm.composed, "limits": limits})
        });
        json!({
            "name": variant.name,
            "summary": variant.summary,
            "defaults": defaults.collect::<serde_json::Map<_, _>>(),
            "backends": arms.collect::<Vec<_>>(),
        })
    };
    let workloads = registry.workloads.iter().map(|workload| {
        json!({
            "name": workload.name,
            "aliases": workload.aliases,
            "summary": workload.summary,
            "variants": workload.variants.iter().map(variant).collect::<Vec<_>>(),
        })
    });
    let backends = registry.backends.iter().map(|backend| {
        json!({
            "name": backend.name,
            "version": backend.version,
            "summary": backend.summary,
            "fair": backend.fair,
            "traced": backend.traced,
        })
    });
    let presets = SCENARIOS.iter().map(|preset| json!({"name": preset.name, "summary": preset.summary()}));
    json!({
        "workloads": workloads.collect::<Vec<_>>(),
        "backends": backends.collect::<Vec<_>>(),
        "presets": presets.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_default_is_what_its_option_reads() {
        for ns in [0, 1, 500, 10_000, 1_500, 2_000_000, 1_000_000_000] {
            assert_eq!(crate::duration::parse(&duration(ns)).unwrap().as_nanos(), u128::from(ns));
        }
    }
}
