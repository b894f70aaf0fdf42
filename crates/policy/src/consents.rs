//! What persons have allowed, as the way of a call reads it: an immutable snapshot, looked up by whose it is.

use std::collections::HashMap;
use std::sync::Arc;

use keybearer_model::call::Call;
use keybearer_model::caller::Principal;
use keybearer_model::consent::{Consent, Lasting};
use keybearer_model::time::Timestamp;

/// A snapshot of all consents.
#[derive(Clone, Debug, Default)]
pub struct Consents(HashMap<Principal, Vec<Arc<Consent>>>);

impl Consents {
    /// The consent that lets this call pass now, where one that counts `longest` may.
    pub fn covering(&self, call: &Call, longest: Lasting, now: Timestamp) -> Option<&Arc<Consent>> {
        let all = self.0.get(&call.caller.principal())?;
        all.iter().find(|consent| consent.lasting <= longest && consent.covers(call) && consent.is_in_force(now))
    }

    /// The consent of this number, if it is this principal's.
    pub fn numbered(&self, principal: Principal, number: u64) -> Option<&Arc<Consent>> {
        self.0.get(&principal)?.iter().find(|consent| consent.number == number)
    }

    /// All of them, by number.
    pub fn sorted(&self) -> Vec<&Arc<Consent>> {
        let mut all: Vec<_> = self.0.values().flatten().collect();
        all.sort_by_key(|consent| consent.number);
        all
    }

    /// The snapshot without those of which `ends` is true.
    #[must_use]
    pub fn without(&self, ends: impl Fn(&Consent) -> bool) -> Self {
        self.sorted().into_iter().filter(|consent| !ends(consent)).map(Arc::clone).collect()
    }

    /// The snapshot with one more.
    #[must_use]
    pub fn with(&self, consent: Arc<Consent>) -> Self {
        self.sorted().into_iter().map(Arc::clone).chain([consent]).collect()
    }
}

impl FromIterator<Arc<Consent>> for Consents {
    fn from_iter<I: IntoIterator<Item = Arc<Consent>>>(consents: I) -> Self {
        let mut by_principal: HashMap<_, Vec<_>> = HashMap::new();
        for consent in consents {
            by_principal.entry(consent.principal).or_default().push(consent);
        }
        Self(by_principal)
    }
}
