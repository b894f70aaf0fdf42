//! The page that a person reads: what was measured, how, and what it should be.

use anyhow::{Context, Result};

use super::measured::{Figures, Spread};

/// What the numbers rest on, for whoever wants better ones.
const STANDING: &str = include_str!("standing.md");

/// Which executables were packed and measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    Release,
    Debug,
}

/// How many bytes something takes.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    pub(super) deb: u64,
    pub(super) rpm: u64,
    pub(super) windows: Option<u64>,
    pub(super) core: u64,
    pub(super) desktop: u64,
}

/// All that stands on it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) build: Build,
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) sizes: Sizes,
    pub(super) figures: Figures,
}

/// One line of the table.
struct Row {
    what: &'static str,
    /// What the measuring program calls it.
    name: &'static str,
    /// The most that is good, where there is such a number.
    most: Option<f64>,
}

const fn row(what: &'static str, name: &'static str) -> Row {
    Row { what, name, most: None }
}

const fn at_most(most: f64, what: &'static str, name: &'static str) -> Row {
    Row { what, name, most: Some(most) }
}

const ROWS: [Row; 12] = [
    row("click to window, the first one, ms", "first_window_ms"),
    row("click to window, each later one, ms", "later_window_ms"),
    at_most(40.0, "memory with the tray icon alone, before any window, MiB", "tray_mib"),
    row("of it the desktop program's own, MiB", "tray_alone_mib"),
    row("memory with the window, MiB", "window_mib"),
    row("of it the desktop program's own, MiB", "window_alone_mib"),
    at_most(40.0, "memory with the tray icon alone, after windows, MiB", "closed_mib"),
    row("of it the desktop program's own, MiB", "closed_alone_mib"),
    row("wake-ups in 10 s, before any window", "tray_wakeups"),
    row("wake-ups in 10 s, after windows", "closed_wakeups"),
    row("threads, before any window", "tray_threads"),
    row("threads, after windows", "closed_threads"),
];

impl Page {
    /// The page, in Markdown.
    pub(super) fn text(&self) -> Result<String> {
        let rows = ROWS.iter().map(|row| Ok((row, self.figures.spread(row.name).context(row.what)?)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let table: String = rows.iter().map(|(row, spread)| line(row, spread)).collect();
        let aims: String = rows.iter().filter_map(|(row, spread)| aim(row, spread)).collect();
        Ok(format!(
            "{}
| | measured | at most |
|---|---:|---:|
{table}
## Sizes

{}
## Where it stands

{aims}{}{STANDING}",
            self.introduction()?,
            self.sizes(),
            self.left()
        ))
    }

    fn introduction(&self) -> Result<String> {
        let others = self.figures.spread("others_percent")?;
        let build = match self.build {
            Build::Release => "the release build, as it is packed for people",
            Build::Debug => {
                "**the debug build** without its debug information, which is slower and larger than what people get"
            }
        };
        Ok(format!(
            "# The desktop in figures

`cargo xtask figures` measures and writes this page.
These are of {}, from {build}, on a machine with {}.

- The programs are those of the deb, over a core with two company tools. The session has a bus of its own, a panel that \
the measuring program is, and Xvfb as its screen, drawn by software, without a window manager.
- Medians of {} rounds, in brackets the least and the most. Each round starts the desktop program anew; one before them \
is not counted, so that the session and its caches are as after a while.
- A click is one on the tray icon's \"Open Keybearer\", as a panel sends it. The window is there when 99 % of the points \
that make out its page are on the screen as they stay; the screen is looked at every 10 ms or so.
- Memory is what the processes have written to and share with nobody (`Private_Dirty`): of the desktop program and \
everything that it has started, 12 s after the last thing happened.
- Wake-ups are how often one of the desktop program's threads had slept and went on.
- Whatever else ran on the machine took {} % of its processors' time ({}–{}); times grow with it, the rest does not.
",
            self.date,
            self.machine,
            self.figures.rounds(),
            short(others.median),
            short(others.least),
            short(others.most)
        ))
    }

    fn sizes(&self) -> String {
        let Sizes { deb, rpm, windows, core, desktop } = &self.sizes;
        let rows = [
            ("deb", Some(deb)),
            ("rpm", Some(rpm)),
            ("Windows installer", windows.as_ref()),
            ("`keybearer`, installed on Linux", Some(core)),
            ("`keybearer-desktop`, installed on Linux", Some(desktop)),
        ];
        let size = |size: Option<&u64>| size.map_or_else(|| "not made".to_owned(), |size| grouped(*size));
        let rows = rows.map(|(what, bytes)| format!("| {what} | {} |\n", size(bytes)));
        format!("| | bytes |\n|---|---:|\n{}", rows.concat())
    }

    fn left(&self) -> String {
        match self.figures.left() {
            [] => "- When its window is closed, the desktop program keeps nothing else running.\n".to_owned(),
            left => format!(
                "- When its window is closed, the desktop program keeps running: {}.\n",
                left.iter().map(|program| format!("`{program}`")).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

fn line(row: &Row, spread: &Spread) -> String {
    let most = row.most.map_or_else(|| "–".to_owned(), short);
    let Spread { least, median, most: largest } = *spread;
    format!("| {} | {} ({}–{}) | {most} |\n", row.what, short(median), short(least), short(largest))
}

/// Whether it is as it should be.
fn aim(row: &Row, spread: &Spread) -> Option<String> {
    let most = row.most?;
    let verdict = if spread.median <= most { "met" } else { "missed" };
    let (what, unit) = row.what.rsplit_once(", ").unwrap_or((row.what, ""));
    Some(format!("- The aim for {what} is {verdict}: {} {unit}, at most {}.\n", short(spread.median), short(most)))
}

/// Three digits that say something.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || size.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A long number, as a person reads it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(build: Build, figures: &str, windows: Option<u64>) -> Result<String> {
        let sizes = Sizes { deb: 25_302_142, rpm: 999, windows, core: 1000, desktop: 0 };
        let figures = Figures::read(figures)?;
        Page { build, date: "2026-12-01".into(), machine: "2 cores".into(), sizes, figures }.text()
    }

    /// What the measuring program prints, with this memory after windows.
    fn printed(closed: &str) -> String {
        let rows = ROWS.iter().filter(|row| row.name != "closed_mib").map(|row| format!("\"{}\":[3,1,2]", row.name));
        let rows = rows.collect::<Vec<_>>().join(",");
        format!(
            r#"{{"rounds":3,"left":["A","B"],"figures":{{{rows},"others_percent":[0.5,7],"closed_mib":{closed}}}}}"#
        )
    }

    #[test]
    fn a_row_has_the_median_with_the_least_and_the_most() {
        let page = page(Build::Release, &printed("[39.5,41.25,44]"), Some(1_234_567)).unwrap();
        assert!(
            page.contains("| memory with the tray icon alone, after windows, MiB | 41.2 (39.5–44) | 40 |"),
            "{page}"
        );
        assert!(page.contains("| threads, after windows | 2 (1–3) | – |"), "{page}");
        assert!(page.contains("| Windows installer | 1,234,567 |") && page.contains("| rpm | 999 |"), "{page}");
        assert!(page.contains("These are of 2026-12-01, from the release build"), "{page}");
        assert!(page.contains("took 3.75 % of its processors' time (0.50–7)"), "{page}");
        assert!(page.contains("Medians of 3 rounds") && page.contains("keeps running: `A`, `B`."), "{page}");
    }

    #[test]
    fn what_misses_its_aim_is_said_to() {
        let missed = page(Build::Release, &printed("[41]"), None).unwrap();
        assert!(missed.contains("memory with the tray icon alone, after windows is missed: 41 MiB, at most 40."));
        assert!(missed.contains("memory with the tray icon alone, before any window is met: 2 MiB, at most 40."));
        assert!(page(Build::Release, &printed("[40]"), None).unwrap().contains("after windows is met: 40 MiB"));
    }

    #[test]
    fn a_debug_build_is_called_one_and_what_was_not_made_is_not_there() {
        let page = page(Build::Debug, &printed("[1]"), None).unwrap();
        assert!(
            page.contains("from **the debug build**") && page.contains("| Windows installer | not made |"),
            "{page}"
        );
    }

    #[test]
    fn a_figure_that_is_missing_is_no_page() {
        for closed in ["[]", "null", "[null]"] {
            assert!(page(Build::Release, &printed(closed), None).is_err(), "{closed}");
        }
        assert!(page(Build::Release, "{}", None).is_err());
    }

    #[test]
    fn long_numbers_are_in_groups_of_three() {
        assert_eq!([0, 999, 1000, 25_302_142].map(grouped), ["0", "999", "1,000", "25,302,142"]);
    }
}
