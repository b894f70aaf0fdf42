//! The CRM's records: eight customers, invented.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) city: String,
    pub(super) owner: String,
    pub(super) stage: String,
    /// Euros a year.
    pub(super) value: u32,
    pub(super) last_contact: String,
    pub(super) next_step: String,
}

/// What to change of a record; the rest stays.
pub(super) struct Change {
    pub(super) owner: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) next_step: Option<String>,
}

/// All records, shared by every session.
#[derive(Clone)]
pub(super) struct Records(Arc<Mutex<Vec<Record>>>);

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, u32, &'static str, &'static str);

const ROWS: [Row; 8] = [
    ("A-1001", "Alderbrook Foods", "Leeds", "m.bolton", "customer", 48_000, "2026-11-04", "send the new price list"),
    ("A-1002", "Initech", "Austin", "m.bolton", "renewal", 182_000, "2026-11-17", "renewal call on 2 December"),
    (
        "A-1003",
        "Northlight Optics",
        "Jena",
        "s.nagheenanajar",
        "trial",
        26_400,
        "2026-11-12",
        "trial ends on 30 November",
    ),
    ("A-1004", "Castor & Vale", "Dublin", "dana", "customer", 73_500, "2026-10-29", "ask for a reference"),
    ("A-1005", "Pellworm Shipping", "Hamburg", "dana", "renewal", 210_000, "2026-11-19", "legal reviews the contract"),
    ("A-1006", "Quillon Insurance", "Zürich", "p.gibbons", "lead", 95_000, "2026-11-06", "demo for the claims team"),
    ("A-1007", "Tamsin Textiles", "Porto", "p.gibbons", "lost", 0, "2026-09-15", "try again in spring"),
    (
        "A-1008",
        "Ostrava Tooling",
        "Ostrava",
        "s.nagheenanajar",
        "customer",
        39_900,
        "2026-11-10",
        "training in January",
    ),
];

impl Default for Records {
    fn default() -> Self {
        let records = ROWS.map(|(id, name, city, owner, stage, value, last_contact, next_step)| Record {
            id: id.to_owned(),
            name: name.to_owned(),
            city: city.to_owned(),
            owner: format!("{owner}@example.com"),
            stage: stage.to_owned(),
            value,
            last_contact: last_contact.to_owned(),
            next_step: next_step.to_owned(),
        });
        Self(Arc::new(Mutex::new(records.to_vec())))
    }
}

impl Records {
    /// Those whose name, city or owner contains `query`.
    pub(super) fn find(&self, query: &str) -> Vec<Record> {
        let query = query.to_lowercase();
        let matches = |text: &str| text.to_lowercase().contains(&query);
        self.with(|records| {
            let found = records
                .iter()
                .filter(|record| matches(&record.name) || matches(&record.city) || matches(&record.owner));
            found.cloned().collect()
        })
    }

    /// The one with this id.
    pub(super) fn get(&self, id: &str) -> Option<Record> {
        self.with(|records| records.iter().find(|record| record.id == id).cloned())
    }

    /// Changes it and returns it as it is now.
    pub(super) fn change(&self, id: &str, change: Change) -> Option<Record> {
        self.with(|records| {
            let record = records.iter_mut().find(|record| record.id == id)?;
            let fields = [
                (&mut record.owner, change.owner),
                (&mut record.stage, change.stage),
                (&mut record.next_step, change.next_step),
            ];
            for (field, new) in fields {
                if let Some(new) = new {
                    *field = new;
                }
            }
            Some(record.clone())
        })
    }

    fn with<T>(&self, use_them: impl FnOnce(&mut Vec<Record>) -> T) -> T {
        use_them(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
