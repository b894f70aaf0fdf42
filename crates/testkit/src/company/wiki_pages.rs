//! The Wiki's pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// All pages by name, shared by every session.
#[derive(Clone)]
pub(super) struct Pages(Arc<Mutex<BTreeMap<String, String>>>);

const PAGES: [(&str, &str); 5] = [
    (
        "onboarding",
        "# Your first week\n\n1. Sign in to the company sign-in and choose a password of your own.\n2. Install Keybearer; \
         your AI app then reaches CRM and Wiki by itself.\n3. Meet your team at the Thursday lunch, third floor.\n",
    ),
    (
        "expenses",
        "# Expenses\n\nHand receipts in by the 5th of the next month. Below 25 € no receipt is needed.\n\
         Trains before planes under six hours. Questions: finance@example.com\n",
    ),
    (
        "holiday-calendar",
        "# Office calendar\n\n- 24 to 26 December 2026: closed\n- 31 December 2026: closed from noon\n\
         - 1 January 2027: closed\n",
    ),
    (
        "crm-fields",
        "# What the CRM's stages mean\n\n`lead`: somebody showed interest. `trial`: they use it. `customer`: they pay. \
         `renewal`: the contract ends within 90 days. `lost`: with the reason in the next step.\n",
    ),
    (
        "release-checklist",
        "# Release checklist\n\n- [ ] changelog read by somebody who did not write it\n- [ ] restore a backup\n\
         - [ ] support knows the date\n",
    ),
];

impl Default for Pages {
    fn default() -> Self {
        let pages = PAGES.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self(Arc::new(Mutex::new(pages.into())))
    }
}

impl Pages {
    /// The names of the pages that contain every word of `query`.
    pub(super) fn search(&self, query: &str) -> Vec<String> {
        let words = query.to_lowercase();
        let found = |name: &str, text: &str| {
            let (name, text) = (name.to_lowercase(), text.to_lowercase());
            words.split_whitespace().all(|word| name.contains(word) || text.contains(word))
        };
        self.with(|pages| pages.iter().filter(|(name, text)| found(name, text)).map(|(name, _)| name.clone()).collect())
    }

    /// A page's text.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        self.with(|pages| pages.get(name).cloned())
    }

    /// Writes a page; tells whether there was one of that name.
    pub(super) fn write(&self, name: &str, text: &str) -> bool {
        self.with(|pages| pages.insert(name.to_owned(), text.to_owned()).is_some())
    }

    fn with<T>(&self, use_them: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        use_them(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
