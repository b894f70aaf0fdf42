use std::collections::BTreeMap;

use super::*;
use crate::connect::catalog::{self, Known, Transport};
use crate::connect::edit::{Format, apply};
use crate::connect::places::System;
use crate::connect::template::{self, Filling};

fn filling(host: &str) -> Filling {
    Filling {
        program: "/usr/bin/keybearer".into(),
        env: vec![("KEYBEARER_HOME".into(), "/tmp/kb".into())],
        host: host.into(),
        port: Some(41_234),
        socket: "unix:///run/keybearer/http.sock".into(),
    }
}

/// The files of a client that was connected this way, by what the catalogue calls them.
fn written(known: &Known, way: &Way, servers: &[String]) -> BTreeMap<String, (Format, String)> {
    let mut files = BTreeMap::new();
    for change in template::fill(way, servers, &filling(&way.host), "kb_x") {
        let format = known.file(&change.file).unwrap().format;
        let (_, text) = files.entry(change.file.clone()).or_insert((format, String::new()));
        if change.only_where.is_none() {
            *text = apply(format, text, &change.op).unwrap().text;
        }
    }
    files
}

fn read(known: &Known, way: &Way, servers: &[String], server: Option<&str>) -> Option<Recipe> {
    let files = written(known, way, servers);
    recipe(way, server, |file| {
        let (format, text) = files.get(file)?;
        edit::read(*format, text).ok()
    })
}

#[test]
fn every_way_of_every_client_says_what_it_will_do() {
    for known in catalog::known().unwrap() {
        for way in &known.ways {
            let found = read(&known, way, &["crm".into()], Some("crm"));
            let wanted = match way.transport {
                Transport::Stdio => Recipe::Stdio {
                    program: "/usr/bin/keybearer".into(),
                    arguments: vec!["stdio".into(), "crm".into()],
                    environment: vec![("KEYBEARER_HOME".into(), "/tmp/kb".into())],
                },
                Transport::Http => Recipe::Http {
                    url: format!("http://{}:41234/mcp/crm", way.host),
                    authorization: "Bearer kb_x".into(),
                },
                Transport::Socket => Recipe::Socket { path: "/mcp/crm".into() },
            };
            assert_eq!(found, Some(wanted), "{} {:?}", known.id, way.transport);
        }
    }
}

#[test]
fn without_a_server_it_is_keybearers_own() {
    for known in catalog::known().unwrap() {
        let way = known.ways_on(System::Linux).next().unwrap();
        let arguments = match read(&known, way, &[], None).unwrap() {
            Recipe::Stdio { arguments, .. } => arguments.join(" "),
            Recipe::Http { url, .. } => url,
            Recipe::Socket { path } => path,
        };
        assert!(arguments == "stdio" || arguments.ends_with("/mcp"), "{}: {arguments}", known.id);
    }
}

/// What stands in each client's files, all of them in one golden file.
#[test]
fn what_is_written() {
    let mut all = String::new();
    for known in catalog::known().unwrap() {
        for way in &known.ways {
            let placement = way.placement.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            all.push_str(&format!("# {} by {}{placement}\n", known.name, way.transport.as_str()));
            for (file, (_, text)) in written(&known, way, &["crm".into()]) {
                all.push_str(&format!("## {}\n{text}\n", known.file(&file).unwrap().name));
            }
        }
    }
    expect_test::expect_file!["../../../tests/clients-written.txt"].assert_eq(&all);
}

/// Where each client's first file is looked for, on each system.
#[test]
fn where_files_are() {
    use crate::connect::places::Places;
    let places = [
        Places {
            system: System::Linux,
            home: "/home/ada".into(),
            config: "/home/ada/.config".into(),
            local: "/home/ada/.config".into(),
        },
        Places {
            system: System::Macos,
            home: "/Users/ada".into(),
            config: "/Users/ada/Library/Application Support".into(),
            local: "/Users/ada/Library/Application Support".into(),
        },
        Places {
            system: System::Windows,
            home: r"C:\Users\ada".into(),
            config: r"C:\Users\ada\AppData\Roaming".into(),
            local: r"C:\Users\ada\AppData\Local".into(),
        },
    ];
    let mut all = String::new();
    for known in catalog::known().unwrap() {
        all.push_str(&format!("{}\n", known.name));
        for places in &places {
            for path in known.files[0].paths.paths(places) {
                all.push_str(&format!("  {}\n", path.display()));
            }
        }
    }
    expect_test::expect_file!["../../../tests/clients-paths.txt"].assert_eq(&all);
}
