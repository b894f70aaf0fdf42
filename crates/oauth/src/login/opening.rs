//! Third state: how does the person come back from this issuer's pages?
//!
//! Only now is the issuer known, and with it whether its pages can be shown in a window of ours. The way back is opened
//! before anybody hears of it: its address is registered, sent, and compared (RFC 6749 §3.1.2).

use oauth2::RedirectUrl;

use super::finding_issuer::Plan;
use super::registering::Registering;
use super::{Effect, LoginError, State, Way, fail};

/// Where the browser of another device ends, for which a code was typed in: nobody comes back from there.
const NO_WAY_BACK: &str = "http://127.0.0.1/callback";

#[derive(Debug)]
pub(super) struct Opening(Plan);

impl Opening {
    pub(super) fn begin(plan: Plan) -> (State, Effect) {
        match plan.request.way {
            Way::Code => Registering::begin(Plan { redirect_uri: NO_WAY_BACK.to_owned(), ..plan }),
            Way::Page => {
                let pages = plan.profile.sign_in_pages();
                (State::Opening(Box::new(Self(plan))), Effect::OpenWayBack(pages))
            }
        }
    }

    pub(super) fn opened(self: Box<Self>, redirect_uri: String) -> (State, Effect) {
        if RedirectUrl::new(redirect_uri.clone()).is_err() {
            return fail(LoginError::OutOfStep("its way back is no address"));
        }
        Registering::begin(Plan { redirect_uri, ..self.0 })
    }
}
