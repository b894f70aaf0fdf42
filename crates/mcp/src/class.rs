//! What a method is for.

use keybearer_model::call::MethodClass;

/// The class of a JSON-RPC method. Compared letter by letter: what is not in the table is unknown.
pub fn classify(method: &str) -> MethodClass {
    match method {
        "initialize" | "server/discover" | "ping" | "logging/setLevel" | "subscriptions/listen" => MethodClass::Session,
        // These go on with a call that was judged when it began.
        "tasks/get" | "tasks/result" | "tasks/update" | "tasks/cancel" => MethodClass::Session,
        // The words for what has no method: an answer to the server, a bare stream, the end of a session.
        "response" | "GET" | "DELETE" => MethodClass::Session,
        "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" => MethodClass::List,
        "tools/call" => MethodClass::ToolCall,
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" | "prompts/get" | "completion/complete" => {
            MethodClass::Read
        }
        // It names what others of the same account have running.
        "tasks/list" => MethodClass::Read,
        other if other.starts_with("notifications/") => MethodClass::Session,
        _ => MethodClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_methods_have_their_class_and_all_else_is_unknown() {
        for (class, methods) in [
            (MethodClass::Session, &["initialize", "ping", "notifications/initialized", "response", "GET"][..]),
            (MethodClass::List, &["tools/list", "resources/templates/list"]),
            (MethodClass::Read, &["resources/read", "prompts/get", "tasks/list"]),
            (MethodClass::ToolCall, &["tools/call"]),
            (
                MethodClass::Other,
                &["", "Tools/call", "tools/call ", "tools/list/x", "notifications", "sampling/createMessage"],
            ),
        ] {
            for method in methods {
                assert_eq!(classify(method), class, "{method:?}");
            }
        }
    }
}
