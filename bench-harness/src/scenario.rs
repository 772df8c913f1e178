//! `--scenario` and `--preset`: the options of a run in a file. A key is an option's name and takes what the
//! option takes: the file is turned into arguments, and what was typed wins over what the file says. So every
//! option that the command line learns can stand in a file without a word here.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use workloads::SCENARIOS;

use crate::cli::Cli;
use crate::exit::Usage;
use crate::sweep::{self, Axis};

/// Options that are no key: a file names no other file and no report, sweeps stand in a table, and processes are told
/// what they are by their parent.
const NO_KEYS: [&str; 9] =
    ["scenario", "preset", "sweep", "help", "version", "resume", "fork", "fork-seed", "fork-skip"];
/// Value names of the options that take a number, which a file gives without quotes.
const NUMBERS: [&str; 3] = ["N", "PERCENT", "OPS_PER_S"];
/// Value name of the options that take a duration.
const DURATION: &str = "DUR";
/// Larger than any scenario: whoever names such a file means another one.
const MAX_FILE_BYTES: usize = 1 << 20;

/// The command line, what a scenario says filled in.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) cli: Cli,
    pub(crate) origins: Origins,
    /// The options that were typed, without the dashes in front.
    pub(crate) given: Vec<String>,
}

/// Which options came from a file, and where they stand in it.
#[derive(Debug, Default)]
pub(crate) struct Origins(Vec<Setting>);

/// One key of a file.
#[derive(Clone, Debug)]
struct Setting {
    /// The option, or the knob that is swept.
    key: String,
    swept: bool,
    /// As one would type it; none for a switch that is off.
    argument: Option<String>,
    /// `FILE, line 7`
    place: String,
}

/// Reads the command line, the program's name first, and the scenario that it names. Ends the program where
/// the command line alone makes no sense, or asks for help.
///
/// # Errors
/// A [`Usage`] that names file, line and key, or the options that contradict each other.
pub(crate) fn arguments(typed: &[OsString]) -> anyhow::Result<Arguments> {
    let matches = Cli::command().try_get_matches_from(typed).unwrap_or_else(|error| error.exit());
    let settings = settings_named_by(&matches)?;
    merge(typed, &matches, settings)
}

/// Reads the arguments of an earlier run, and the scenario that they name.
///
/// # Errors
/// A [`Usage`] that says which of them is no longer understood.
pub(crate) fn arguments_of_run(argv: &[String]) -> anyhow::Result<Arguments> {
    let typed: Vec<OsString> =
        ["bench-harness"].into_iter().chain(argv.iter().map(String::as_str)).map(OsString::from).collect();
    let matches =
        Cli::command().try_get_matches_from(&typed).map_err(|error| Usage::error(sweep::reason(&error)))?;
    let settings = settings_named_by(&matches)?;
    merge(&typed, &matches, settings)
}

fn settings_named_by(matches: &ArgMatches) -> anyhow::Result<Vec<Setting>> {
    if let Some(path) = matches.get_one::<PathBuf>("scenario") {
        return Reader::new(&path.display().to_string(), &read(path)?).settings();
    }
    let preset = matches.get_one::<String>("preset");
    match preset.and_then(|name| SCENARIOS.iter().find(|known| known.name == name)) {
        Some(preset) => Reader::new(&format!("preset {}", preset.name), preset.text).settings(),
        None => Ok(Vec::new()),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let refuse = |why: String| Usage::error(format!("cannot read --scenario '{}': {why}", path.display()));
    // Not read whole before its size is known: it might be a device.
    let bytes = fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
    if !bytes.is_file() {
        return Err(refuse("it is not a file".into()));
    }
    if bytes.len() > MAX_FILE_BYTES as u64 {
        return Err(refuse(format!("it is larger than {MAX_FILE_BYTES} bytes, so it is no scenario")));
    }
    fs::read_to_string(path).map_err(|error| refuse(error.to_string()))
}

/// The file's arguments before the typed ones, without those that the typed ones replace.
fn merge(typed: &[OsString], matches: &ArgMatches, settings: Vec<Setting>) -> anyhow::Result<Arguments> {
    let command = Cli::command();
    let (program, typed) = typed.split_at(typed.len().min(1));
    let stand: Vec<Setting> =
        settings.into_iter().filter(|setting| !setting.is_replaced(&command, matches)).collect();
    let from_file = stand.iter().filter_map(|setting| setting.argument.as_ref()).map(OsString::from);
    let all: Vec<OsString> = program.iter().cloned().chain(from_file).chain(typed.iter().cloned()).collect();
    let origins = Origins(stand);
    let merged = command
        .try_get_matches_from(all)
        .map_err(|error| origins.explain(Usage::error(sweep::reason(&error))))?;
    check_sweeps(&merged).map_err(|error| origins.explain(error))?;
    let cli = Cli::from_arg_matches(&merged).unwrap_or_else(|error| error.exit());
    let is_typed = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let given = Cli::command()
        .get_arguments()
        .filter(is_typed)
        .filter_map(Arg::get_long)
        .map(str::to_owned)
        .collect();
    Ok(Arguments { cli, origins, given })
}

/// A knob is swept once, or given once.
fn check_sweeps(matches: &ArgMatches) -> anyhow::Result<()> {
    let axes: Vec<&Axis> = matches.get_many::<Axis>("sweep").into_iter().flatten().collect();
    for (place, axis) in axes.iter().enumerate() {
        let key = &axis.key;
        if let Some(earlier) = axes[..place].iter().find(|earlier| earlier.key == *key) {
            return Err(Usage::error(format!(
                "--sweep {earlier} and --sweep {axis}: a knob is swept once; put all its values into one"
            )));
        }
        let id = key.replace('-', "_");
        if matches.value_source(&id) == Some(ValueSource::CommandLine) {
            let given = matches.get_raw(&id).into_iter().flatten().next_back().unwrap_or_default();
            return Err(Usage::error(format!(
                "--{key} {} and --sweep {axis}: a knob is either given or swept; drop one of the two",
                given.to_string_lossy()
            )));
        }
    }
    Ok(())
}

impl Setting {
    /// Whether something that was typed says otherwise.
    fn is_replaced(&self, command: &Command, typed: &ArgMatches) -> bool {
        let is_typed =
            |arg: &Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let contradict = |one: &Arg, other: &Arg| {
            let names = |one: &Arg, other: &Arg| {
                command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
            };
            names(one, other) || names(other, one)
        };
        let Some(own) = command.get_arguments().find(|arg| arg.get_long() == Some(self.key.as_str())) else {
            return false;
        };
        let sweeps_it =
            typed.get_many::<Axis>("sweep").into_iter().flatten().any(|axis| axis.key == self.key);
        sweeps_it
            || is_typed(own)
            || !self.swept && command.get_arguments().any(|arg| is_typed(arg) && contradict(own, arg))
    }

    /// How a message speaks of it.
    fn option(&self) -> String {
        format!("--{}{}", if self.swept { "sweep " } else { "" }, self.key)
    }
}

impl Origins {
    /// Adds to a message about options where in the file they stand.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        if !error.is::<Usage>() {
            return error;
        }
        let message = error.to_string();
        let places: Vec<String> = self
            .0
            .iter()
            .filter(|setting| mentions(&message, &setting.option()))
            .map(|setting| format!("{} is in {}", setting.key, setting.place))
            .collect();
        if places.is_empty() { error } else { Usage::error(format!("{message} ({})", places.join("; "))) }
    }
}

/// Whether the message has this option and not only a longer one.
fn mentions(message: &str, option: &str) -> bool {
    message.match_indices(option).any(|(place, _)| {
        let next = message[place + option.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '-')
    })
}

/// Reads one file.
struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    command: Command,
    sweepable: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, command: Cli::command(), sweepable: sweep::keys() }
    }

    fn settings(&self) -> anyhow::Result<Vec<Setting>> {
        let table = DeTable::parse(self.text).map_err(|error| {
            self.refuse(error.span().unwrap_or_default(), &format!("not TOML: {}", error.message()))
        })?;
        let mut settings = Vec::new();
        for (key, value) in in_order(table.get_ref()) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("sweep", DeValue::Table(axes)) => {
                    for (key, values) in in_order(axes) {
                        settings.push(self.axis(key.get_ref(), key.span(), values)?);
                    }
                }
                ("sweep", _) => {
                    let why = "sweep: expected a table: [sweep], and below it lines such as tasks = [16, 64]";
                    return Err(self.refuse(key.span(), why));
                }
                (name, _) => settings.push(self.setting(name, key.span(), value)?),
            }
        }
        Ok(settings)
    }

    fn setting(&self, key: &str, at: Range<usize>, value: &Spanned<DeValue<'_>>) -> anyhow::Result<Setting> {
        let option = self.options().find(|arg| arg.get_long() == Some(key)).ok_or_else(|| {
            let known = self.options().filter_map(Arg::get_long).chain(["sweep"]);
            self.refuse(at.clone(), &unknown(key, &known.collect::<Vec<_>>()))
        })?;
        let refuse = |why: &str| self.refuse(at.clone(), &format!("{key}: {why}"));
        let argument = argument(option, value.get_ref()).map_err(|why| refuse(&why))?;
        if let Some(argument) = &argument {
            let alone = ["bench-harness", argument];
            if let Err(error) = self.command.clone().try_get_matches_from(alone) {
                return Err(refuse(&format!("cannot be {}: {}", shown(value), sweep::reason(&error))));
            }
        }
        Ok(Setting { key: key.to_owned(), swept: false, argument, place: self.place(at) })
    }

    fn axis(&self, key: &str, at: Range<usize>, values: &Spanned<DeValue<'_>>) -> anyhow::Result<Setting> {
        let known = self.options().find(|arg| {
            arg.get_long() == Some(key) && self.sweepable.iter().any(|sweepable| sweepable == key)
        });
        let option = known.ok_or_else(|| {
            let known: Vec<&str> = self.sweepable.iter().map(String::as_str).collect();
            self.refuse(at.clone(), &format!("[sweep] {}", unknown(key, &known)))
        })?;
        let refuse = |why: &str| self.refuse(at.clone(), &format!("[sweep] {key}: {why}"));
        let values = match values.get_ref() {
            DeValue::Array(values) if !values.is_empty() => values,
            _ => return Err(refuse(&format!("expected an array of values, each {}", expected(option)))),
        };
        let values: Result<Vec<String>, String> =
            values.iter().map(|value| scalar(option, value.get_ref())).collect();
        let values = format!("{key}={}", values.map_err(|why| refuse(&why))?.join(","));
        sweep::parse(&values).map_err(|why| self.refuse(at.clone(), &format!("[sweep] {why}")))?;
        let argument = Some(format!("--sweep={values}"));
        Ok(Setting { key: key.to_owned(), swept: true, argument, place: self.place(at) })
    }

    /// The options that are keys.
    fn options(&self) -> impl Iterator<Item = &Arg> {
        self.command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !NO_KEYS.contains(&long)))
    }

    fn refuse(&self, at: Range<usize>, why: &str) -> anyhow::Error {
        Usage::error(format!("{}: {why}", self.place(at)))
    }

    fn place(&self, at: Range<usize>) -> String {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        format!("{}, line {}", self.name, before.matches('\n').count() + 1)
    }
}

/// The entries of a table as they stand in the file.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Key<'i>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

fn unknown(key: &str, known: &[&str]) -> String {
    let spelt = sweep::option_name(key);
    let hint = if known.contains(&spelt.as_str()) {
        format!("did you mean {spelt}?")
    } else {
        format!("there are {}", known.join(", "))
    };
    format!("unknown key {key}; {hint}")
}

/// The argument that a value makes of its option; none for a switch that is off.
fn argument(option: &Arg, value: &DeValue<'_>) -> Result<Option<String>, String> {
    let long = option.get_long().unwrap_or_default();
    match (option.get_action(), value) {
        (ArgAction::SetTrue, DeValue::Boolean(on)) => Ok(on.then(|| format!("--{long}"))),
        (ArgAction::SetTrue, _) => Err("it takes true or false".into()),
        (ArgAction::Append, DeValue::Array(values)) if !values.is_empty() => {
            let values: Result<Vec<String>, String> =
                values.iter().map(|value| scalar(option, value.get_ref())).collect();
            Ok(Some(format!("--{long}={}", values?.join(","))))
        }
        _ => Ok(Some(format!("--{long}={}", scalar(option, value)?))),
    }
}

/// One value as one would type it.
fn scalar(option: &Arg, value: &DeValue<'_>) -> Result<String, String> {
    let named = |names: &[&str]| {
        option.get_value_names().is_some_and(|own| own.iter().any(|own| names.contains(&own.as_str())))
    };
    match value {
        DeValue::String(text) if !named(&NUMBERS) => Ok(text.to_string()),
        DeValue::Integer(number) if named(&NUMBERS) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            decimal.map(|number| number.to_string()).map_err(|error| error.to_string())
        }
        DeValue::Float(number) if named(&NUMBERS) => Ok(number.as_str().to_owned()),
        // A zero needs no unit; any other number is told that it does.
        DeValue::Integer(number) if named(&[DURATION]) => Ok(number.as_str().to_owned()),
        _ => Err(format!("it takes {}", expected(option))),
    }
}

/// What a file has to give for an option.
fn expected(option: &Arg) -> &'static str {
    match (option.get_action(), option.get_value_names().and_then(|names| names.first())) {
        (ArgAction::Append, _) => "a name in quotes, or an array of them",
        (_, Some(name)) if NUMBERS.contains(&name.as_str()) => "a number, without quotes",
        (_, Some(name)) if name == DURATION => "a duration in quotes, such as \"10us\"",
        _ => "text in quotes",
    }
}

/// A value as a message shows it.
fn shown(value: &Spanned<DeValue<'_>>) -> impl Display {
    match value.get_ref() {
        DeValue::String(text) => format!("'{text}'"),
        DeValue::Integer(number) => format!("'{number}'"),
        DeValue::Float(number) => format!("'{number}'"),
        other => format!("this {}", other.type_str()),
    }
}

#[cfg(test)]
#[path = "scenario_tests.rs"]
mod tests;
