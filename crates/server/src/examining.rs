//! The doctor over the control API.

use keybearer_control::doctor::{Diagnosis, Finding, Severity};
use keybearer_control::error::{Code, Error};
use keybearer_control::wire::Reply;
use keybearer_core::doctor;
use keybearer_model::name::ServerName;
use keybearer_model::url::Upstream;

use crate::control::{Control, parse, unknown_server};

impl Control {
    /// Looks at the server of this name, or at the one of this URL.
    pub(crate) async fn examine(&self, target: &str) -> Result<Reply, Error> {
        let (upstream, auth) = if target.contains("://") {
            let upstream: Upstream =
                target.parse().map_err(|cause| Error::new(Code::BadRequest, format!("{cause}")))?;
            // One that is set up already is looked at as it is set up.
            let known = self.broker.servers().into_values().find(|(config, _)| config.url == upstream);
            (upstream, known.map(|(config, _)| config.auth))
        } else {
            let name: ServerName = parse(target)?;
            let (config, _) = self.broker.servers().remove(&name).ok_or_else(|| unknown_server(&name))?;
            (config.url, Some(config.auth))
        };
        let report = self.broker.examine(&upstream, auth.as_ref()).await;
        let findings = report.findings().iter().map(finding).collect();
        Ok(Reply::Diagnosis { diagnosis: Diagnosis { url: upstream.to_string(), findings } })
    }
}

fn finding(found: &doctor::Finding) -> Finding {
    Finding {
        code: found.code.to_string(),
        severity: match found.severity {
            doctor::Severity::Good => Severity::Good,
            doctor::Severity::Note => Severity::Note,
            doctor::Severity::Warning => Severity::Warning,
            doctor::Severity::Problem => Severity::Problem,
        },
        words: found.code.words().to_owned(),
        advice: Some(found.code.advice().to_owned()).filter(|advice| !advice.is_empty()),
        detail: found.detail.clone(),
    }
}
