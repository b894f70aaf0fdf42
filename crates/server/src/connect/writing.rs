//! Writes what was surveyed, and takes it back: every file or none.

use keybearer_control::connect::{Leaving, Left, Sentence};
use keybearer_control::error::{Code, Error};
use keybearer_core::connect::plan::{self, FileRecord, Record, Standing, Undone};
use keybearer_model::name::ClientName;
use keybearer_model::time::Timestamp;
use keybearer_os::person_file::PersonFile;

use super::survey::{self, Ground, Survey, Surveyed};
use super::{Opened, refusal};

/// What was taken back.
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) registered: Option<ClientName>,
    pub(super) files: Vec<Left>,
    pub(super) afterwards: Vec<Sentence>,
}

/// Writes the files with the key in its place, and remembers them.
pub(super) fn put(
    mut survey: Survey,
    opened: Option<Opened>,
    registered: Option<ClientName>,
    since: Timestamp,
) -> Result<Record, Error> {
    let key = opened.map(|opened| {
        survey.filling.port = Some(opened.port);
        opened.key
    });
    let key = key.unwrap_or_default();
    let mut record = Record {
        client: survey.known.id.clone(),
        registered,
        transport: survey.way.transport.as_str().to_owned(),
        placement: survey.way.placement.clone(),
        servers: survey.servers.clone(),
        files: Vec::new(),
        since,
    };
    for file in &survey.files {
        match one(&survey, file, &key, since) {
            Ok(written) => record.files.push(written),
            Err(error) => {
                roll_back(&record, &survey.ground);
                return Err(error);
            }
        }
    }
    if let Err(error) = survey.ground.records.put(&record) {
        roll_back(&record, &survey.ground);
        return Err(refusal::file(&error));
    }
    Ok(record)
}

fn one(survey: &Survey, file: &Surveyed, key: &str, now: Timestamp) -> Result<FileRecord, Error> {
    let changes = survey.changes(&file.id, key);
    let standing =
        Standing { text: file.file.text.as_deref(), record: file.record.as_ref(), original: file.original.as_deref() };
    let format = file.known.format;
    let planned = plan::plan(format, standing, &changes).map_err(|error| refusal::plan(&file.path, &error))?;
    let (backup, folders) = match (&planned.base, &file.record) {
        (Some(base), Some(record)) if record.original.as_ref() == Some(&plan::digest(base)) => {
            (record.backup.clone(), record.folders.clone())
        }
        (Some(base), _) => {
            let kept = survey.ground.records.keep(&survey.known.id, &file.path, base, now);
            let kept = kept.map_err(|cause| Error::new(Code::NotSaved, format!("no copy could be kept: {cause}")))?;
            (Some(kept), Vec::new())
        }
        (None, record) => (None, record.as_ref().map(|record| record.folders.clone()).unwrap_or_default()),
    };
    let made = file.file.replace(&planned.text).map_err(|error| refusal::file(&error))?;
    Ok(FileRecord {
        path: file.path.clone(),
        format,
        backup,
        original: planned.base.as_deref().map(plan::digest),
        written: plan::digest(&planned.text),
        entries: planned.entries,
        folders: if made.is_empty() { folders } else { made },
    })
}

/// Takes back what was written before something failed.
fn roll_back(record: &Record, ground: &Ground) {
    for file in record.files.iter().rev() {
        if let Err(error) = leave(file, ground) {
            tracing::warn!(path = %file.path.display(), error = %error.message, "a file was not restored");
        }
    }
}

/// Takes a connection back. If one file cannot be left, none is.
pub(super) fn take_back(ground: &Ground, client: &str) -> Result<Taken, Error> {
    let known = survey::find(client)?;
    let record = ground.records.get(client).ok_or_else(|| refusal::not_connected(client))?;
    for file in &record.files {
        looked_at(file, ground)?;
    }
    let mut files = Vec::new();
    for file in &record.files {
        files.push(Left { path: file.path.display().to_string(), how: leave(file, ground)? });
    }
    let whole = |how: Leaving| matches!(how, Leaving::Restored | Leaving::Removed);
    let restored: Vec<&FileRecord> =
        record.files.iter().zip(&files).filter(|(_, left)| whole(left.how)).map(|(file, _)| file).collect();
    ground.records.remove(&record, &restored);
    let (_, afterwards) = survey::afterwards(&record);
    Ok(Taken { id: known.id, name: known.name, registered: record.registered, files, afterwards })
}

fn looked_at(record: &FileRecord, ground: &Ground) -> Result<(PersonFile, Undone), Error> {
    let file = PersonFile::look(&record.path, &ground.places.home).map_err(|error| refusal::file(&error))?;
    let original = survey::original(record);
    let standing = Standing { text: file.text.as_deref(), record: Some(record), original: original.as_deref() };
    let undone = plan::undo(standing).map_err(|error| refusal::plan(&record.path, &error))?;
    Ok((file, undone))
}

fn leave(record: &FileRecord, ground: &Ground) -> Result<Leaving, Error> {
    let (file, undone) = looked_at(record, ground)?;
    let (done, how) = match &undone {
        Undone::Nothing => (Ok(()), Leaving::Untouched),
        Undone::Removed => (file.remove(&record.folders), Leaving::Removed),
        Undone::Restored(text) => (file.replace(text).map(|_| ()), Leaving::Restored),
        Undone::Cut(text) => (file.replace(text).map(|_| ()), Leaving::EntriesRemoved),
    };
    done.map_err(|error| refusal::file(&error))?;
    Ok(how)
}
