//! The page that a person reads: one table for each kind of door.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    numbers::{median, ratio, short},
    rounds::Row,
};

const UNITS: [(&str, &str); 9] = [
    ("p50_us", "median, µs"),
    ("p99_us", "99th percentile, µs"),
    ("cpu_us", "CPU a call, µs"),
    ("rate", "calls a second"),
    ("p50_ms", "time, ms"),
    ("got", "events that arrived"),
    ("events_per_s", "events a second"),
    ("start_ms", "start to `initialize`, ms"),
    ("big_ms", "16 MiB result, ms"),
];

/// The tables, in Markdown.
pub fn tables(measured: &[Row]) -> String {
    let mut page = String::from("## HTTP\n\n");
    page += "In brackets: times direct, times nginx.\n\n";
    page += &table(measured, |job| job != "stdio", &["direct", "nginx", "keybearer"], &["direct", "nginx"]);
    page += "\n## stdio\n\nIn brackets: times mcp-remote. `direct` is a server that speaks stdio itself.\n\n";
    page += &table(measured, |job| job == "stdio", &["direct", "mcp-remote", "keybearer"], &["mcp-remote"]);
    page
}

fn table(measured: &[Row], wanted: impl Fn(&str) -> bool, ways: &[&str], anchors: &[&str]) -> String {
    let mut text = format!("| | {} |\n|---|{}\n", ways.join(" | "), "---:|".repeat(ways.len()));
    for Row { job, number, values } in measured.iter().filter(|row| wanted(row.job)) {
        let unit = UNITS.iter().find(|(name, _)| name == number).map_or(*number, |(_, unit)| unit);
        let label = if *job == "stdio" { unit.to_owned() } else { format!("{job}: {unit}") };
        let cells: Vec<_> = ways.iter().map(|way| cell(values, way, anchors)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {label} | {} |", cells.join(" | "));
    }
    text
}

fn cell(values: &BTreeMap<&str, Vec<f64>>, way: &str, anchors: &[&str]) -> String {
    let of = |way: &str| values.get(way).map_or(&[][..], Vec::as_slice);
    let Some(middle) = median(of(way).to_vec()).filter(|middle| *middle > 0.0) else { return "–".to_owned() };
    let others = anchors.iter().filter(|anchor| **anchor != way);
    let ratios: Vec<_> = others.filter_map(|anchor| ratio(of(way), of(anchor))).map(short).collect();
    if way != "keybearer" || ratios.is_empty() {
        short(middle)
    } else {
        format!("{} ({})", short(middle), ratios.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Row, tables};

    #[test]
    fn a_row_has_the_median_and_what_it_is_beside_the_others() {
        let ways =
            BTreeMap::from([("direct", vec![1.0, 2.0]), ("nginx", vec![2.0, 4.0]), ("keybearer", vec![4.0, 8.0])]);
        let page = tables(&[Row { job: "1 client", number: "p50_us", values: ways }]);
        assert!(page.contains("| 1 client: median, µs | 1.50 | 3.00 | 6.00 (4.00, 2.00) |"), "{page}");
    }
}
