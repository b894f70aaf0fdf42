//! The Wiki's tools.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use serde_json::json;

use super::wiki_pages::Pages;

/// One session's view of the Wiki.
#[derive(Clone)]
pub(super) struct Wiki {
    pages: Pages,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Search {
    /// Words that the page contains, all of them.
    query: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct ReadPage {
    /// The page's name, for example `expenses`.
    page: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct EditPage {
    /// The page's name; a new one makes a new page.
    page: String,
    /// The whole new text, in Markdown.
    text: String,
}

impl Wiki {
    pub(super) fn new(pages: Pages) -> Self {
        Self { pages }
    }
}

#[tool_router]
impl Wiki {
    #[tool(description = "Search the company's pages", annotations(title = "Search", read_only_hint = true))]
    fn search(&self, Parameters(Search { query }): Parameters<Search>) -> CallToolResult {
        CallToolResult::structured(json!({ "pages": self.pages.search(&query) }))
    }

    #[tool(description = "Read a page", annotations(title = "Read page", read_only_hint = true))]
    fn read_page(&self, Parameters(ReadPage { page }): Parameters<ReadPage>) -> CallToolResult {
        match self.pages.read(&page) {
            Some(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            None => CallToolResult::error(vec![ContentBlock::text(format!("there is no page `{page}`"))]),
        }
    }

    #[tool(
        description = "Write a page, or write it anew",
        annotations(title = "Edit page", read_only_hint = false, destructive_hint = true)
    )]
    fn edit_page(&self, Parameters(EditPage { page, text }): Parameters<EditPage>) -> CallToolResult {
        let said = if self.pages.write(&page, &text) { "written anew" } else { "written" };
        CallToolResult::success(vec![ContentBlock::text(format!("`{page}` is {said}"))])
    }
}

#[tool_handler]
impl ServerHandler for Wiki {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("example-wiki", "1.9.2"))
            .with_instructions("Example Corp's internal pages.")
    }
}
