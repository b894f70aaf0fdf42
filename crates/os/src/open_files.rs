//! How many files and connections this process may have open at a time.

/// Lets this process have as many open as the system allows it at most; a core has one for each connection.
///
/// Systems start programs with a small number because old ones cannot bear a large one. Returns how many may be open
/// now; nothing where there is no such limit to raise.
#[cfg(unix)]
pub fn raise_limit() -> std::io::Result<Option<u64>> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    }
    Ok(limit.maximum)
}

/// Does nothing on this system: it has no such limit.
#[cfg(not(unix))]
pub fn raise_limit() -> std::io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    #[test]
    fn the_limit_is_raised_to_the_most_that_is_allowed() {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(256), ..before }).unwrap();
        assert_eq!(super::raise_limit().unwrap(), before.maximum);
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
