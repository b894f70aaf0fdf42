//! The tray's menu as a value: what is in it is decided here, how it is drawn is not.

use keybearer_control::plain::middle;
use keybearer_control::view::{Action, Mark, Row, Tone, View};

/// Longer names lose their middle: menus have no tooltips and no room.
const LONGEST_NAME: usize = 40;

/// The tray: a shape, what is said of it, and a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// The icon's shape.
    pub mark: Mark,
    /// What the icon means.
    pub spoken: String,
    /// From top to bottom.
    pub items: Vec<Item>,
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Words.
    Line(String),
    /// Something to click.
    Button(String, Click),
    /// A menu in the menu.
    Folder(String, Vec<Item>),
    /// A line between groups.
    Rule,
}

/// What a click asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Click {
    /// Start a core.
    Start,
    /// Sign in to a server.
    SignIn(String),
    /// Sign out of a server.
    SignOut(String),
    /// Show the window.
    Open,
    /// End the shell. The core lives on.
    Close,
}

impl Click {
    /// The click as a menu item's id.
    pub fn id(&self) -> String {
        match self {
            Self::Start => "start".into(),
            Self::SignIn(server) => format!("sign-in {server}"),
            Self::SignOut(server) => format!("sign-out {server}"),
            Self::Open => "open".into(),
            Self::Close => "close".into(),
        }
    }

    /// The click that an id stands for.
    pub fn of(id: &str) -> Option<Self> {
        Some(match id.split_once(' ').unwrap_or((id, "")) {
            ("start", "") => Self::Start,
            ("sign-in", server) => Self::SignIn(server.into()),
            ("sign-out", server) => Self::SignOut(server.into()),
            ("open", "") => Self::Open,
            ("close", "") => Self::Close,
            _ => return None,
        })
    }
}

/// The tray for a view.
pub fn menu(view: &View) -> Menu {
    let mut items = Vec::new();
    match view {
        View::Starting => {}
        View::Away { .. } => items.push(Item::Button("Start Keybearer".into(), Click::Start)),
        View::Attached { home } => {
            items.extend(home.rows.iter().filter(|row| row.tone == Tone::Attention).filter_map(button));
            items.push(Item::Rule);
            items.extend(home.rows.iter().map(folder));
        }
    }
    // One server that waits: the state is what to click.
    let is_said = |item: &Item| matches!(item, Item::Button(words, _) if words == view.headline());
    if !items.first().is_some_and(is_said) {
        items.insert(0, Item::Line(view.headline().to_owned()));
    }
    if items.last() != Some(&Item::Rule) {
        items.push(Item::Rule);
    }
    items.push(Item::Button("Open Keybearer".into(), Click::Open));
    items.push(Item::Button("Close the tray icon".into(), Click::Close));
    Menu { mark: view.mark(), spoken: spoken(view), items }
}

fn button(row: &Row) -> Option<Item> {
    let name = middle(&row.name, LONGEST_NAME);
    Some(match row.action? {
        Action::SignIn => Item::Button(format!("Sign in to {name}"), Click::SignIn(row.name.clone())),
        Action::SignOut => Item::Button(format!("Sign out of {name}"), Click::SignOut(row.name.clone())),
    })
}

fn folder(row: &Row) -> Item {
    let account = row.account.as_deref().map(|account| format!(" · {}", middle(account, LONGEST_NAME)));
    let title = format!("{}: {}{}", middle(&row.name, LONGEST_NAME), row.state, account.unwrap_or_default());
    let mut items = vec![Item::Line(middle(&row.host, LONGEST_NAME))];
    items.extend(row.failure.as_ref().map(|failure| Item::Line(failure.text.clone())));
    items.extend(button(row));
    Item::Folder(title, items)
}

fn spoken(view: &View) -> String {
    let said = match view {
        View::Starting => "starting".to_owned(),
        View::Away { .. } => "not running".to_owned(),
        View::Attached { home } => {
            let mut characters = home.headline.chars();
            characters.next().into_iter().flat_map(char::to_lowercase).chain(characters).collect()
        }
    };
    format!("Keybearer: {said}")
}

#[cfg(test)]
mod tests;
