//! `audit`: reads the trail's files itself, so that it works without a core.

use keybearer_control::error::Code;
use keybearer_core::audit::{self, VerifyError};
use serde_json::json;

use crate::args::Audit;
use crate::ask;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Does what the command line says about the audit trail.
pub(super) fn run(command: &Audit, format: Format) -> Result<Exit, Failure> {
    let dir = ask::folders()?.audit();
    match command {
        Audit::Tail { number } => {
            let records = audit::tail(&dir, *number).map_err(|cause| {
                Failure::new(Code::Internal, format!("the audit trail in `{}` cannot be read: {cause}", dir.display()))
            })?;
            out::result(format, &records, || show::audit::records(&records, super::now()));
        }
        Audit::Verify => {
            let verified = audit::verify(&dir).map_err(|error| not_verified(&error))?;
            let (repaired, torn) = (verified.repaired, verified.torn_tail);
            let told = json!({ "whole": true, "records": verified.records, "repaired": repaired, "torn_tail": torn });
            out::result(format, &told, || show::audit::verified(&verified));
        }
    }
    Ok(Exit::Ok)
}

fn not_verified(error: &VerifyError) -> Failure {
    let failure = Failure::new(Code::Internal, error.to_string());
    match error {
        VerifyError::Unreadable(_) => failure,
        VerifyError::Tampered { .. } => failure
            .ending(Exit::AuditBroken)
            .hint("keep the files as they are, and show them to whoever is responsible"),
    }
}
