//! What is said to the person at the terminal, on standard error.

/// As `eprintln!`, but goes on where nobody listens any more: a closed pipe must not cost a measurement.
macro_rules! say {
    ($($message:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($message)*);
    }};
}
pub(crate) use say;
