//! A diagnosis: what a person reads first, then what IT needs.

use keybearer_control::doctor::{Diagnosis, Finding, Severity};

use crate::plain::clean;
use crate::show::tone::Tone;

/// Every finding, and what they mean together.
pub(crate) fn diagnosis(diagnosis: &Diagnosis) -> String {
    let findings: String = diagnosis.findings.iter().map(finding).collect();
    format!("{}\n\n{findings}\n{}\n", Tone::Strong.paint(&clean(&diagnosis.url)), verdict(diagnosis))
}

fn finding(finding: &Finding) -> String {
    let (tone, mark) = match finding.severity {
        Severity::Good => (Tone::Good, "✓"),
        Severity::Note => (Tone::Soft, "·"),
        Severity::Warning => (Tone::Attention, "!"),
        Severity::Problem => (Tone::Danger, "✗"),
    };
    let mut text = format!("  {} {}\n", tone.paint(mark), clean(&finding.words));
    if let Some(advice) = &finding.advice {
        text.push_str(&format!("      {}\n", clean(advice)));
    }
    if finding.severity != Severity::Good {
        let detail = format!("{}: {}", clean(&finding.code), clean(&finding.detail));
        text.push_str(&format!("      {}\n", Tone::Soft.paint(&detail)));
    }
    text
}

fn verdict(diagnosis: &Diagnosis) -> String {
    let (problems, warnings) = (diagnosis.count(Severity::Problem), diagnosis.count(Severity::Warning));
    let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (problems, warnings) {
        (0, 0) => Tone::Good.paint("Nothing stands in the way of signing in."),
        (0, _) => format!("Signing in should work, with {}.", counted(warnings, "warning")),
        (_, 0) => Tone::Danger.paint(&format!("Signing in does not work: {}.", counted(problems, "problem"))),
        (_, _) => {
            let both = format!("{}, {}", counted(problems, "problem"), counted(warnings, "warning"));
            Tone::Danger.paint(&format!("Signing in does not work: {both}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::show::samples::bare;

    fn found(code: &str, severity: Severity, advice: Option<&str>) -> Finding {
        let words = format!("The server is {code}.");
        Finding {
            code: code.into(),
            severity,
            words,
            advice: advice.map(Into::into),
            detail: "sta\u{1b}tus 404".into(),
        }
    }

    #[test]
    fn a_person_reads_what_it_is_and_what_to_do() {
        let findings = vec![
            found("fine", Severity::Good, None),
            found("odd", Severity::Note, None),
            found("missing", Severity::Problem, Some("Check the address.")),
        ];
        let told = bare(&diagnosis(&Diagnosis { url: "https://crm.test/mcp".into(), findings }));
        expect![[r"
            https://crm.test/mcp

              ✓ The server is fine.
              · The server is odd.
                  odd: sta�tus 404
              ✗ The server is missing.
                  Check the address.
                  missing: sta�tus 404

            Signing in does not work: 1 problem.
        "]]
        .assert_eq(&told);
    }

    #[test]
    fn the_verdict_is_of_the_worst() {
        let of = |severities: &[Severity]| {
            let findings = severities.iter().map(|severity| found("x", *severity, None)).collect();
            bare(&verdict(&Diagnosis { url: String::new(), findings }))
        };
        assert_eq!(of(&[Severity::Good, Severity::Note]), "Nothing stands in the way of signing in.");
        assert_eq!(of(&[Severity::Warning; 2]), "Signing in should work, with 2 warnings.");
        assert_eq!(of(&[Severity::Problem, Severity::Warning]), "Signing in does not work: 1 problem, 1 warning.");
    }
}
