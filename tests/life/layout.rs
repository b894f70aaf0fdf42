//! SEC-08, SEC-16: neither core nor bridge uses a place that others could have prepared.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use keybearer_stories::core::Home;

type Layout = fn(&Path);

/// Somebody else, for what only root can set up.
const STRANGER: u32 = 65_534;

fn folder(path: &Path, mode: u32) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

const BAD: [(&str, Layout); 8] = [
    ("readable by the group", |place| folder(place, 0o740)),
    ("writable by the group", |place| folder(place, 0o720)),
    ("enterable by others", |place| folder(place, 0o701)),
    ("everybody's", |place| folder(place, 0o1777)),
    ("a file", |place| fs::write(place, "").unwrap()),
    ("a socket", |place| drop(UnixListener::bind(place).unwrap())),
    ("a dangling link", |place| symlink("/nowhere", place).unwrap()),
    ("a link to a folder of ours", |place| {
        folder(&place.with_extension("real"), 0o700);
        symlink(place.with_extension("real"), place).unwrap();
    }),
];

#[test]
fn sec_08_bad_layouts_are_refused_by_core_and_bridge() {
    for (name, lay) in BAD {
        for place in ["run", "state"] {
            let home =
                Home::new("keystore = \"memory\"\n[servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n");
            lay(&home.path().join(place));
            let core = home.keybearer(&["serve"]);
            assert_eq!(core.code(), 1, "{name} as `{place}`: {core:?}");
            let bridge = home.keybearer(&["stdio", "crm"]);
            assert_eq!(bridge.code(), 3, "{name} as `{place}`: {bridge:?}");
            for told in [core, bridge] {
                assert!(told.err.contains("error: `") && told.out.is_empty(), "{name} as `{place}`: {told:?}");
            }
        }
    }
}

#[test]
fn sec_16_another_users_socket_gets_not_one_byte() {
    let home = Home::new("keystore = \"memory\"\n[servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n");
    let run = home.path().join("run");
    folder(&run, 0o700);
    let squatter = UnixListener::bind(run.join("bridge.sock")).unwrap();
    // What the system says of a listener is who it was when it began to listen; here the folder gives it away.
    if chown(&run, Some(STRANGER), Some(STRANGER)).is_err() {
        // Without the right to give a folder away, a link to one that others can enter stands in.
        fs::rename(&run, run.with_extension("real")).unwrap();
        symlink(run.with_extension("real"), &run).unwrap();
    }
    squatter.set_nonblocking(true).unwrap();
    let bridge = home.keybearer_reading(&["stdio", "crm"], "{\"secret\":1}\n");
    assert_eq!(bridge.code(), 3, "{bridge:?}");
    assert!(bridge.out.is_empty());
    let mut bytes = Vec::new();
    if let Ok((mut stream, _)) = squatter.accept() {
        let _ = stream.read_to_end(&mut bytes);
    }
    assert!(bytes.is_empty());
}
