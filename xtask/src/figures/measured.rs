//! What the measuring program printed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

/// Each number in each round.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    rounds: u64,
    left: Vec<String>,
    values: BTreeMap<String, Vec<f64>>,
}

/// What one number was over all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) most: f64,
}

impl Figures {
    /// Reads the line.
    pub(super) fn read(line: &str) -> Result<Self> {
        let told: Value = serde_json::from_str(line).context("read what was measured")?;
        let figures = told["figures"].as_object().context("no figures were measured")?;
        Ok(Self {
            rounds: told["rounds"].as_u64().context("it is not said how many rounds there were")?,
            left: list(&told["left"], |program| program.as_str().map(str::to_owned)),
            values: figures.iter().map(|(name, values)| (name.clone(), list(values, Value::as_f64))).collect(),
        })
    }

    /// How often everything was measured.
    pub(super) fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Which programs run on when the window is closed.
    pub(super) fn left(&self) -> &[String] {
        &self.left
    }

    /// What the number of this name was.
    pub(super) fn spread(&self, name: &str) -> Result<Spread> {
        let mut values = self.values.get(name).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        let ends = values.first().zip(values.last()).with_context(|| format!("`{name}` was not measured"))?;
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Ok(Spread { least: *ends.0, median, most: *ends.1 })
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    value.as_array().into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::{Figures, Spread};

    #[track_caller]
    fn check(values: &str, wanted: Option<[f64; 3]>) {
        let figures = Figures::read(&format!(r#"{{"rounds":1,"figures":{{"x":{values}}}}}"#)).unwrap();
        let wanted = wanted.map(|[least, median, most]| Spread { least, median, most });
        assert_eq!(figures.spread("x").ok(), wanted, "{values}");
    }

    #[test]
    fn the_median_is_the_middle_and_between_two_of_them_halfway() {
        check("[9,1,5]", Some([1.0, 5.0, 9.0]));
        check("[4,1,2,3]", Some([1.0, 2.5, 4.0]));
        check("[7]", Some([7.0, 7.0, 7.0]));
        check("[]", None);
    }
}
