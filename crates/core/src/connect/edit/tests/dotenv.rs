use super::*;

fn key() -> Op {
    put(&["KEYBEARER_KEY"], json!("kb_x"))
}

#[test]
fn a_line_comes_at_the_end() {
    check(
        Format::Dotenv,
        "# mine\nA=1\n",
        &key(),
        &expect![[r"
        # mine
        A=1
        KEYBEARER_KEY=kb_x
    "]],
    );
    check(
        Format::Dotenv,
        "",
        &key(),
        &expect![[r"
        KEYBEARER_KEY=kb_x
    "]],
    );
    check_meaning(
        Format::Dotenv,
        "A=1",
        &key(),
        &expect![[r"
        A=1
        KEYBEARER_KEY=kb_x
    "]],
    );
}

#[test]
fn a_line_of_the_person_s_is_not_replaced() {
    refused(Format::Dotenv, "export KEYBEARER_KEY = mine\n", &key(), &EditError::Taken("KEYBEARER_KEY".into()));
    assert!(apply(Format::Dotenv, "#KEYBEARER_KEY=x\n", &key()).is_ok());
}
