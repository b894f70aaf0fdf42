//! Whether a company's switches keep a client from seeing what we write.

use keybearer_control::connect::Sentence;
use keybearer_core::connect::catalog::{Known, Switch};
use keybearer_core::connect::managed;
use keybearer_core::connect::places::Places;
use keybearer_os::{person_file, registry};

use super::survey::told;

/// What a person is told of those that are set.
pub(super) fn set(known: &Known, places: &Places) -> Vec<Sentence> {
    known.switches.iter().filter(|switch| is_set(switch, places)).map(|switch| told(&switch.says)).collect()
}

fn is_set(switch: &Switch, places: &Places) -> bool {
    let registered = switch.registry.as_deref().and_then(|key| registry::policy_value(key, &switch.key));
    let in_files = || {
        let paths = switch.files.paths(places).into_iter().flat_map(|pattern| person_file::matching(&pattern));
        paths.filter_map(|path| person_file::peek(&path)).filter_map(|bytes| managed::value(&bytes, &switch.key)).next()
    };
    registered.or_else(in_files).is_some_and(|value| managed::means(switch, &value))
}
