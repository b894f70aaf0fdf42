//! Looks at a client's files and says what connecting would make of them. Nothing is written here.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use keybearer_control::connect::{Connection, KnownClient, Sentence, Wish};
use keybearer_control::error::{Code, Error, Exactly};
use keybearer_core::connect::catalog::{self, Known, KnownFile, Transport, Way};
use keybearer_core::connect::places::{Places, System};
use keybearer_core::connect::plan::{self, FileRecord, Planned, Precondition, Record, Standing};
use keybearer_core::connect::template::{self, Filled, Filling};
use keybearer_os::folders::Folders;
use keybearer_os::interface;
use keybearer_os::person_file::{self, PersonFile, PersonFolders};

use super::remembered::Records;
use super::{refusal, switches};

/// What has to be known of this machine and of this core.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) places: Places,
    pub(super) folders: Folders,
    pub(super) records: Records,
    /// The address of the socket door.
    pub(super) socket: String,
    /// The HTTP door's port, if it was ever open.
    pub(super) port: Option<u16>,
    /// The container door's.
    pub(super) container_port: Option<u16>,
    /// Where the container door is, if it is switched on.
    pub(super) container_door: Option<Ipv4Addr>,
    /// Whether a client of this name is registered.
    pub(super) name_taken: bool,
}

/// What connecting would do.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) ground: Ground,
    pub(super) known: Known,
    pub(super) way: Way,
    pub(super) servers: Vec<String>,
    pub(super) filling: Filling,
    pub(super) files: Vec<Surveyed>,
    pub(super) record: Option<Record>,
    /// The client's executable, if it was found and identifies it.
    pub(super) program: Option<String>,
    /// The address at which the container door is to be opened for this.
    pub(super) container_address: Option<Ipv4Addr>,
    pub(super) warnings: Vec<Sentence>,
    pub(super) token: String,
}

/// One file of it.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) id: String,
    pub(super) path: PathBuf,
    pub(super) file: PersonFile,
    pub(super) known: KnownFile,
    pub(super) record: Option<FileRecord>,
    pub(super) original: Option<String>,
    pub(super) planned: Planned,
}

/// Where this person's programs keep their files.
pub(super) fn places() -> Result<Places, Error> {
    let folders = PersonFolders::of_the_system().ok_or_else(|| refusal::internal("the home folder is not known"))?;
    let system = match folders.system {
        "windows" => System::Windows,
        "macos" => System::Macos,
        _ => System::Linux,
    };
    Ok(Places { system, home: folders.home, config: folders.config, local: folders.local })
}

/// All that can be connected, and how it stands.
pub(super) fn known_clients(ground: &Ground) -> Vec<KnownClient> {
    let told = |known: Known| {
        let record = ground.records.get(&known.id);
        let files = known.files.first().map(|file| candidates(&file.paths.paths(&ground.places))).unwrap_or_default();
        KnownClient {
            installed: is_installed(&known, ground),
            placements: known.placements(ground.places.system),
            file: files.first().map(|path| path.display().to_string()),
            connection: record.map(|record| Connection {
                transport: record.transport,
                placement: record.placement,
                servers: record.servers,
                files: record.files.iter().map(|file| file.path.display().to_string()).collect(),
                since: record.since.to_string(),
            }),
            id: known.id,
            name: known.name,
        }
    };
    catalog::known().unwrap_or_default().into_iter().map(told).collect()
}

/// A sentence of the catalogue as the wire carries it.
pub(super) fn told(sentence: &catalog::Sentence) -> Sentence {
    Sentence { en: sentence.en.clone(), de: sentence.de.clone() }
}

/// What a person calls a client, and what they have to do after its files have changed.
pub(super) fn afterwards(record: &Record) -> (String, Vec<Sentence>) {
    let Ok(known) = find(&record.client) else { return (record.client.clone(), Vec::new()) };
    let way = known.ways.iter().find(|way| {
        way.transport.as_str() == record.transport && way.placement == record.placement && !way.afterwards.is_empty()
    });
    let steps = way.map_or_else(|| vec![told(&known.restart)], |way| way.afterwards.iter().map(told).collect());
    (known.name, steps)
}

pub(super) fn find(client: &str) -> Result<Known, Error> {
    let known = catalog::known().map_err(|error| refusal::internal(&format!("the catalogue is broken: {error}")))?;
    known.into_iter().find(|known| known.id == client).ok_or_else(|| refusal::unknown_client(client))
}

impl Survey {
    pub(super) fn of(wish: &Wish, ground: Ground) -> Result<Self, Error> {
        let known = find(&wish.client)?;
        let way = chosen_way(&known, wish, ground.places.system)?.clone();
        if wish.servers.len() > 1 && !way.changes.iter().any(catalog::Change::is_per_server) {
            return Err(Error::new(Code::BadRequest, format!("{} takes one server", known.name))
                .hint("connect it without `--server`: then it gets the tools of all of them"));
        }
        let record = ground.records.get(&known.id);
        if ground.name_taken && record.as_ref().is_none_or(|record| record.registered.is_none()) {
            return Err(Error::new(Code::NameTaken, format!("there is a client `{}` already", known.id))
                .exactly(Exactly::ConnectedAlready { name: known.name.clone() })
                .hint(format!("if it is the same one: `keybearer clients revoke {}` first", known.id)));
        }
        let filling = filling(&ground, &way)?;
        let container_address = container_address(&ground, &way)?;
        let program = program(&known, &way, &ground);
        let mut survey = Self {
            warnings: warnings(&known, &way, &ground),
            servers: wish.servers.clone(),
            token: String::new(),
            files: Vec::new(),
            container_address,
            filling,
            program,
            record,
            ground,
            known,
            way,
        };
        survey.look(wish)?;
        Ok(survey)
    }

    /// The changes, with this for a key.
    pub(super) fn changes(&self, file: &str, key: &str) -> Vec<Filled> {
        let mut changes = template::fill(&self.way, &self.servers, &self.filling, key);
        changes.retain(|change| change.file == file);
        changes
    }

    fn look(&mut self, wish: &Wish) -> Result<(), Error> {
        let mut seen = Precondition::default();
        for part in [&self.known.id, self.way.transport.as_str(), self.program.as_deref().unwrap_or_default()] {
            seen.note(part);
        }
        let first = first_path(&self.known, wish, self.record.as_ref(), &self.ground)?;
        for known in self.known.files.clone() {
            let changes = self.changes(&known.id, template::UNKNOWN_KEY);
            if changes.is_empty() {
                continue;
            }
            let is_first = self.known.files.first().is_some_and(|file| file.id == known.id);
            let path = if is_first { first.clone() } else { first.with_file_name(&known.name) };
            let surveyed = self.surveyed(&known, &path, &changes)?;
            let text = surveyed.file.text.as_deref();
            let noted = seen.file(&path.to_string_lossy(), known.format, text, &changes);
            noted.map_err(|error| refusal::plan(&path, &error.into()))?;
            self.files.push(surveyed);
        }
        let elsewhere = |file: &&FileRecord| !self.files.iter().any(|surveyed| surveyed.path == file.path);
        if let Some(old) = self.record.as_ref().and_then(|record| record.files.iter().find(elsewhere)) {
            let message = format!("{} is connected through `{}` now", self.known.name, old.path.display());
            return Err(Error::new(Code::NameTaken, message)
                .exactly(Exactly::ConnectedAlready { name: self.known.name.clone() })
                .hint(format!("take that back first: `keybearer disconnect {}`", self.known.id)));
        }
        self.token = seen.token();
        Ok(())
    }

    fn surveyed(&self, known: &KnownFile, path: &Path, changes: &[Filled]) -> Result<Surveyed, Error> {
        let file = PersonFile::look(path, &self.ground.places.home).map_err(|error| refusal::file(&error))?;
        let files = self.record.as_ref().map(|record| record.files.as_slice()).unwrap_or_default();
        let record = files.iter().find(|file| file.path == path).cloned();
        let original = record.as_ref().and_then(original);
        let standing = Standing { text: file.text.as_deref(), record: record.as_ref(), original: original.as_deref() };
        let planned = plan::plan(known.format, standing, changes).map_err(|error| refusal::plan(path, &error))?;
        Ok(Surveyed {
            id: known.id.clone(),
            path: path.to_owned(),
            known: known.clone(),
            file,
            record,
            original,
            planned,
        })
    }
}

/// The copy that is remembered of a file.
pub(super) fn original(record: &FileRecord) -> Option<String> {
    std::fs::read_to_string(record.backup.as_ref()?).ok()
}

fn chosen_way<'a>(known: &'a Known, wish: &Wish, system: System) -> Result<&'a Way, Error> {
    let placements = known.placements(system);
    if let (false, None) = (placements.is_empty(), &wish.placement) {
        return Err(Error::new(Code::BadRequest, format!("{} runs in several places: say in which", known.name))
            .hint(format!("use `--placement` with one of {}", listed(&placements))));
    }
    let fits = |way: &&Way| {
        (placements.is_empty() || way.placement == wish.placement)
            && wish.transport.as_ref().is_none_or(|wanted| way.transport.as_str() == wanted)
    };
    known.ways_on(system).find(fits).ok_or_else(|| {
        let mut ways: Vec<String> = known.ways_on(system).map(|way| way.transport.as_str().to_owned()).collect();
        ways.dedup();
        let places =
            if placements.is_empty() { String::new() } else { format!(", placements {}", listed(&placements)) };
        Error::new(Code::BadRequest, format!("{} cannot be connected that way", known.name))
            .hint(format!("there are {}{places}", listed(&ways)))
    })
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn filling(ground: &Ground, way: &Way) -> Result<Filling, Error> {
    let program = keybearer_os::own_file::path().ok().filter(|path| path.is_file());
    let program = program.ok_or_else(|| {
        refusal::internal("keybearer's own program is not where it was started from: start it again after an upgrade")
    })?;
    let pairs = ground.folders.variable().into_iter();
    Ok(Filling {
        program: program.display().to_string(),
        env: pairs.map(|(name, value)| (name.to_owned(), value.display().to_string())).collect(),
        host: way.host.clone(),
        port: if way.container_door { ground.container_port } else { ground.port },
        socket: ground.socket.clone(),
    })
}

/// Where the container door is to open, if it is needed and not open.
fn container_address(ground: &Ground, way: &Way) -> Result<Option<Ipv4Addr>, Error> {
    if !way.container_door || ground.container_door.is_some() {
        return Ok(None);
    }
    let bridge = way.bridge.as_deref().and_then(interface::address_of);
    bridge.map(Some).ok_or_else(|| {
        Error::new(Code::Unsupported, "the container engine's bridge was not found on this machine")
            .hint("set `container_door` in config.toml to this machine's address on it, for example \"172.17.0.1\"")
    })
}

/// The client's executable: it identifies what comes without a key.
fn program(known: &Known, way: &Way, ground: &Ground) -> Option<String> {
    if way.transport == Transport::Http {
        return None;
    }
    let paths = known.programs.paths(&ground.places).into_iter();
    let found = paths.flat_map(|path| person_file::matching(&path)).find(|path| path.is_file())?;
    found.canonicalize().ok()?.into_os_string().into_string().ok()
}

fn is_installed(known: &Known, ground: &Ground) -> bool {
    let signs = known.signs.paths(&ground.places).into_iter().chain(known.programs.paths(&ground.places));
    signs.into_iter().any(|path| !person_file::matching(&path).is_empty())
}

fn warnings(known: &Known, way: &Way, ground: &Ground) -> Vec<Sentence> {
    let mut warnings: Vec<Sentence> = known.warning.iter().chain(&way.warning).map(told).collect();
    warnings.extend(switches::set(known, &ground.places));
    if !known.signs.of(ground.places.system).is_empty() && !is_installed(known, ground) {
        let name = &known.name;
        warnings.push(Sentence {
            en: format!("{name} does not seem to be installed here."),
            de: format!("{name} scheint hier nicht installiert zu sein."),
        });
    }
    warnings
}

/// Where the first file is: where the person says, where it was, where one is, where one belongs.
fn first_path(known: &Known, wish: &Wish, record: Option<&Record>, ground: &Ground) -> Result<PathBuf, Error> {
    let file = known.files.first().ok_or_else(|| refusal::internal("the catalogue names no file"))?;
    if let Some(path) = &wish.file {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(Error::new(Code::BadRequest, format!("`{}` is not an absolute path", path.display())));
        }
        return Ok(if path.is_dir() { path.join(&file.name) } else { path });
    }
    if let Some(path) = record.and_then(|record| record.files.first()).map(|file| file.path.clone()) {
        return Ok(path);
    }
    let found = candidates(&file.paths.paths(&ground.places)).into_iter().next();
    found.ok_or_else(|| {
        Error::new(Code::BadRequest, format!("where {} keeps its files only you know", known.name))
            .hint(format!("name its `{}` with `--file PATH`, or the folder that it is in", file.name))
    })
}

/// The files that are there, else the places where one belongs: first those whose folder is there.
fn candidates(patterns: &[PathBuf]) -> Vec<PathBuf> {
    let there: Vec<PathBuf> = patterns.iter().flat_map(|pattern| person_file::matching(pattern)).collect();
    if !there.is_empty() {
        return there;
    }
    let folders = patterns.iter().filter_map(|pattern| {
        let folder = person_file::matching(pattern.parent()?).into_iter().next()?;
        Some(folder.join(pattern.file_name()?))
    });
    let plain = patterns.iter().filter(|pattern| !pattern.to_string_lossy().contains('*')).cloned();
    folders.chain(plain).collect()
}
