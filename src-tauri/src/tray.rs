//! Draws the menu and the icon. Decides nothing.

use std::sync::Mutex;

use keybearer_control::error::Error;
use keybearer_control::prompt::Prompts;
use keybearer_control::view::{Mark, View};
use tauri::menu::{IsMenuItem, Menu as Native, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use crate::link::{Link, Off};
use crate::menu::{Click, Item, Menu, menu};
use crate::panel::Shade;
use crate::words::Words;
use crate::{prompts, window};

mod icons;

use icons::image;

/// The tray icon, and what it shows now: a menu that is drawn again closes under the person's pointer.
pub(crate) struct Tray {
    icon: TrayIcon,
    words: Words,
    // Behind a lock for `draw(&self)` alone: one task draws.
    drawn: Mutex<Option<(Menu, Shade)>>,
}

/// Puts the icon into the tray.
pub(crate) fn create(app: &AppHandle, words: Words) -> tauri::Result<Tray> {
    let icon = TrayIconBuilder::with_id("keybearer")
        .icon(image(Mark::Offline, Shade::Unknown))
        .icon_as_template(true)
        .on_menu_event(|app, event| clicked(app, event.id().as_ref()))
        .build(app)?;
    Ok(Tray { icon, words, drawn: Mutex::new(None) })
}

impl Tray {
    /// Shows a view and the questions that wait, if that looks different from what was before.
    pub(crate) fn draw(&self, view: &View, prompts: &Prompts, shade: Shade) -> tauri::Result<()> {
        let now = (menu(view, prompts, &self.words), shade);
        let mut drawn = self.drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if drawn.as_ref() == Some(&now) {
            return Ok(());
        }
        let menu = &now.0;
        self.icon.set_icon_with_as_template(Some(image(menu.mark, shade)), true)?;
        self.icon.set_tooltip(Some(&menu.spoken))?;
        self.icon.set_title(count(menu.mark))?;
        self.icon.set_menu(Some(native(self.icon.app_handle(), &menu.items)?))?;
        *drawn = Some(now);
        Ok(())
    }
}

fn clicked(app: &AppHandle, id: &str) {
    let Some(click) = Click::of(id) else { return };
    match click {
        Click::Open => window::show(app),
        Click::Question(_) => prompts::window::raise(app),
        Click::Close => app.exit(0),
        Click::Start
        | Click::SignIn(_)
        | Click::SignOut(_)
        | Click::StopAccess
        | Click::ResumeAccess
        | Click::TurnOff => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                let asked = asked(&app, &click).await;
                asked.unwrap_or_else(|error| tracing::warn!(%error, "click without effect"));
            });
        }
    }
}

async fn asked(app: &AppHandle, click: &Click) -> Result<(), Error> {
    let link = app.state::<Link>();
    match click {
        Click::Start => link.start().await,
        Click::SignIn(server) => link.sign_in(server).await,
        Click::SignOut(server) => link.sign_out(server).await,
        Click::StopAccess => link.core().stop_access().await,
        Click::ResumeAccess => link.core().resume_access().await,
        Click::TurnOff => {
            if link.turn_off().await? == Off::Asks {
                window::show(app);
            }
            Ok(())
        }
        Click::Question(_) | Click::Open | Click::Close => Ok(()),
    }
}

fn native(app: &AppHandle, items: &[Item]) -> tauri::Result<Native<Wry>> {
    let items = items.iter().map(|item| native_item(app, item)).collect::<tauri::Result<Vec<_>>>()?;
    Native::with_items(app, &items.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

fn native_item(app: &AppHandle, item: &Item) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    Ok(match item {
        Item::Line(words) => Box::new(MenuItem::new(app, literal(words), false, None::<&str>)?),
        Item::Button(words, click) => Box::new(MenuItem::with_id(app, click.id(), literal(words), true, None::<&str>)?),
        Item::Rule => Box::new(PredefinedMenuItem::separator(app)?),
        Item::Folder(words, items) => {
            let items = items.iter().map(|item| native_item(app, item)).collect::<tauri::Result<Vec<_>>>()?;
            let items: Vec<_> = items.iter().map(AsRef::as_ref).collect();
            Box::new(Submenu::with_items(app, literal(words), true, &items)?)
        }
    })
}

/// `&` marks an access key in a menu; names have none.
fn literal(words: &str) -> String {
    words.replace('&', "&&")
}

fn count(mark: Mark) -> Option<String> {
    match mark {
        Mark::SignIn { count } | Mark::Asking { count } => Some(count.to_string()),
        Mark::Ready | Mark::Blocked | Mark::Offline => None,
    }
}
